import GuerdonCore
import GuerdonEngine
import GuerdonWire

/// Who wants to be told what. The newest state is told, never a queue: whoever is slow gets it later.
///
/// What several watch is encoded once for all of them, and only so many times a second.
final class Subscriptions: @unchecked Sendable {
    // Sendable: all that changes is in the monitor.

    /// A line that one subscription is to get.
    struct Event {
        let connection: Connection
        let number: UInt64
        let sequence: UInt64
        let line: EventLine
    }

    /// What a look at the state found.
    struct Look {
        var events: [Event] = []
        /// When to look again even if nothing happens; `nil` when everybody knows everything.
        var again: ContinuousClock.Instant?

        mutating func lookAgain(at time: ContinuousClock.Instant) { again = min(again ?? time, time) }
    }

    fileprivate struct Watcher {
        let connection: Connection
        let number: UInt64
        /// The version that was told last; 0 for none.
        var told: UInt64 = 0
        /// Whether the first event is still to be tried.
        var isNew = true
    }

    /// All who watch the same.
    fileprivate struct Group {
        let subscription: Subscription
        var watchers: [Watcher] = []
        var line: EventLine?
        /// Counts the changes of the line.
        var version: UInt64 = 0
        /// Log position of the line.
        var sequence: UInt64 = 0
        /// When what is watched changes by the clock alone: the period ends.
        var ends = Int64.max
        /// Before then only new watchers are told.
        var due = ContinuousClock.now
        var hasNew = false
        /// Whether somebody was not told the newest line.
        var isBehind = false
    }

    fileprivate struct State {
        var groups: [Group] = []
        var places: [Subscription: Int] = [:]
        var counts: [ObjectIdentifier: Int] = [:]
        var last: UInt64 = 0
        var encodings = 0
    }
    private let state = Monitor(State())
    private let interval: Duration

    /// - Parameter perSecond: how often a subscription is told at most in a second; 0 for as often as there is something.
    init(perSecond: Int) { interval = perSecond > 0 ? .nanoseconds(1_000_000_000 / Int64(perSecond)) : .zero }

    var isEmpty: Bool { state.wait { .some($0.groups.isEmpty) } ?? true }

    /// How many lines were encoded so far.
    var encodings: Int { state.wait { .some($0.encodings) } ?? 0 }

    /// Adds a subscription and gives its number; `nil` at the connection's bound.
    func add(_ subscription: Subscription, of connection: Connection, limit: Int) -> UInt64? {
        state.change { state in
            let count = state.counts[ObjectIdentifier(connection), default: 0]
            guard count < limit else { return nil }
            state.last += 1
            // A client may go while its subscription is under way; then nobody would take it out again.
            guard !connection.hasGone else { return state.last }
            state.counts[ObjectIdentifier(connection)] = count + 1
            let place = state.places[subscription] ?? state.groups.count
            if place == state.groups.count {
                state.groups.append(Group(subscription: subscription))
                state.places[subscription] = place
            }
            state.groups[place].watchers.append(Watcher(connection: connection, number: state.last))
            state.groups[place].hasNew = true
            return state.last
        }
    }

    /// Ends a subscription; `false` when the connection has none with this number.
    func remove(_ number: UInt64, of connection: Connection) -> Bool {
        state.change { $0.remove { $0.number == number && $0.connection === connection } > 0 }
    }

    /// Ends all of a connection that is gone.
    func removeAll(of connection: Connection) {
        state.change { state in
            guard state.counts[ObjectIdentifier(connection)] != nil else { return }
            state.remove { $0.connection === connection }
        }
    }

    /// Looks at what is watched, where it may have changed and it is time to tell.
    func look(at world: World, server: Server) -> Look {
        let time = max(world.time, server.now())
        let now = ContinuousClock.now
        return state.change { state in
            var look = Look()
            for place in state.groups.indices {
                let mayDiffer = state.groups[place].mayDiffer(world.sequence, time)
                guard mayDiffer || state.groups[place].hasNew || state.groups[place].isBehind else { continue }
                let isDue = now >= state.groups[place].due
                guard isDue || state.groups[place].hasNew else {
                    look.lookAgain(at: state.groups[place].due)
                    continue
                }
                if mayDiffer {
                    state.groups[place].encode(world, server, time)
                    state.encodings += 1
                }
                if isDue { state.groups[place].due = now + interval }
                state.groups[place].tell(isDue, into: &look)
                if state.groups[place].isBehind {
                    // Where there is no bound, whoever is slow is not asked without pause.
                    look.lookAgain(at: max(state.groups[place].due, now + .milliseconds(20)))
                }
            }
            return look
        }
    }
}

extension Subscriptions.State {
    /// Takes out watchers, and groups that nobody is left in.
    ///
    /// - Returns: how many watchers went.
    @discardableResult
    fileprivate mutating func remove(where isOut: (Subscriptions.Watcher) -> Bool) -> Int {
        var removed = 0
        for place in groups.indices {
            for watcher in groups[place].watchers where isOut(watcher) {
                removed += 1
                let id = ObjectIdentifier(watcher.connection)
                counts[id] = counts[id].flatMap { $0 > 1 ? $0 - 1 : nil }
            }
            groups[place].watchers.removeAll(where: isOut)
        }
        if groups.contains(where: \.watchers.isEmpty) {
            groups.removeAll(where: \.watchers.isEmpty)
            places = Dictionary(uniqueKeysWithValues: groups.enumerated().map { ($1.subscription, $0) })
        }
        return removed
    }
}

extension Subscriptions.Group {
    /// Whether the line may be another one now.
    fileprivate func mayDiffer(_ sequence: UInt64, _ time: Int64) -> Bool {
        // Some counts of the server change without a command.
        line == nil || self.sequence != sequence || subscription.stream == .stats || time >= ends
    }

    /// Encodes the line for the state as it is.
    fileprivate mutating func encode(_ world: World, _ server: Server, _ time: Int64) {
        // What is watched was there when it was asked for, and nothing is ever taken away.
        guard let found = try? EventContent.line(subscription, world: world, server: server, now: time) else { return }
        sequence = world.sequence
        ends = found.ends ?? .max
        guard found.line != line else { return }
        line = found.line
        version += 1
    }

    /// Tells whoever does not know the newest line: everybody when it is due, else the new ones.
    fileprivate mutating func tell(_ isDue: Bool, into look: inout Subscriptions.Look) {
        isBehind = false
        hasNew = false
        guard let line else { return }
        for i in watchers.indices where watchers[i].told != version {
            // A slow reader is told when it has read what was sent.
            if isDue || watchers[i].isNew, watchers[i].connection.takesEvents {
                watchers[i].told = version
                look.events.append(
                    Subscriptions.Event(
                        connection: watchers[i].connection, number: watchers[i].number, sequence: sequence, line: line))
            } else {
                isBehind = true
            }
            watchers[i].isNew = false
        }
    }
}
