import GuerdonCore
import GuerdonEngine
import GuerdonWire

/// Who wants to be told what. The newest state is told, never a queue: whoever is slow gets it later.
final class Subscriptions: @unchecked Sendable {
    // Sendable: all that changes is in the monitor.
    struct Entry {
        let connection: Connection
        let number: UInt64
        let subscription: Subscription
        /// What was told last, to tell only changes.
        var last: [UInt8] = []
    }
    private struct State {
        var entries: [Entry] = []
        var next: UInt64 = 1
    }
    private let state = Monitor(State())

    var isEmpty: Bool { state.wait { .some($0.entries.isEmpty) } ?? true }

    /// Adds a subscription and gives its number; `nil` at the connection's bound.
    func add(_ subscription: Subscription, of connection: Connection, limit: Int) -> UInt64? {
        state.change { state in
            guard state.entries.count(where: { $0.connection === connection }) < limit else { return nil }
            defer { state.next += 1 }
            state.entries.append(Entry(connection: connection, number: state.next, subscription: subscription))
            return state.next
        }
    }

    /// Ends a subscription; `false` when the connection has none with this number.
    func remove(_ number: UInt64, of connection: Connection) -> Bool {
        state.change { state in
            let before = state.entries.count
            state.entries.removeAll { $0.number == number && $0.connection === connection }
            return state.entries.count < before
        }
    }

    func removeAll(of connection: Connection) {
        state.change { $0.entries.removeAll { $0.connection === connection } }
    }

    /// The events that follow from the state: for every subscription whose content changed, its newest content.
    ///
    /// - Returns: the events, and whether some connection was passed over that has to be told later.
    func events(_ world: World, server: Server) -> (events: [(connection: Connection, bytes: [UInt8])], leaves: Bool) {
        let now = max(world.time, server.now())
        return state.change { state in
            // A client may have gone while its subscription was under way.
            state.entries.removeAll { $0.connection.hasGone }
            var events: [(connection: Connection, bytes: [UInt8])] = []
            var leaves = false
            for i in state.entries.indices {
                let entry = state.entries[i]
                // A slow reader is told when it has read what was sent.
                guard entry.connection.takesEvents else {
                    leaves = true
                    continue
                }
                guard
                    let event = try? EventContent.bytes(
                        entry.subscription, number: entry.number, world: world, server: server, now: now),
                    event.content != entry.last
                else { continue }
                state.entries[i].last = event.content
                events.append((entry.connection, event.line))
            }
            return (events, leaves)
        }
    }
}
