import GuerdonCore
import GuerdonEngine
import GuerdonWire

/// What subscriptions are told.
enum EventContent {
    /// Finds out whether there is such a thing to watch.
    ///
    /// - Throws: a `Refusal` when there is none.
    static func check(_ subscription: Subscription, world: World, now: Int64) throws(Refusal) {
        switch subscription.stream {
        case .board(let board, _, let period):
            _ = try world.boardTop(board, in: subscription.workspace, period: period?.string, limit: 0, now: now)
        case .member(let member): _ = try world.wallet(member, in: subscription.workspace)
        case .stats: break
        }
    }

    /// The event for the state as it is, and when it changes by the clock alone.
    ///
    /// - Throws: a `Refusal` when there is no such thing to watch.
    static func line(
        _ subscription: Subscription, world: World, server: Server, now: Int64
    ) throws(Refusal) -> (line: EventLine, ends: Int64?) {
        switch subscription.stream {
        case .board(let board, let top, let period):
            let view = try world.boardTop(
                board, in: subscription.workspace, period: period?.string, limit: top, now: now)
            return (.board(view), period == nil ? view.ends?.time : nil)
        case .member(let member):
            return (.member(try world.wallet(member, in: subscription.workspace)), nil)
        case .stats: return (.stats(counts(world, server)), nil)
        }
    }

    /// The counts of `stats`.
    static func counts(_ world: World, _ server: Server) -> [(name: StaticString, value: Int64)] {
        [
            ("workspaces", Int64(world.workspaceCount)), ("members", Int64(world.memberCount)),
            ("actions", Int64(clamping: world.actionCount)),
            ("conditionErrors", Int64(clamping: world.conditionErrors)),
            ("connections", Int64(server.connectionCount.wait { .some($0) } ?? 0)),
            ("logBytes", server.logBytes?() ?? 0),
        ]
    }
}
