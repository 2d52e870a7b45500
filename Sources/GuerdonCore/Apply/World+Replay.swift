// A replay: nobody reads while it lasts, so more is done beside the owner.

extension World {
    /// Begins a replay: until ``endReplay()`` only batches are applied and nothing is asked.
    ///
    /// Where somebody works beside the owner, the orders of boards wait for the end; and what a step earns is evaluated and
    /// booked while the next one is resolved, unless its postings are wanted.
    ///
    /// - Parameters:
    ///   - runner: does that, beside the owner.
    ///   - ownActions: how many actions the owner books himself after he had to wait for the runner, because of a command that is
    ///     no action or a new member, say: to wait takes as long as a hundred of them.
    public func beginReplay(_ runner: any SideRunner, ownActions: Int = 4096) {
        guard let side else { return }
        side.beginReplay(runner)
        bookings = BookingQueue(side, ownActions: ownActions)
    }

    /// Ends a replay, whether or not one was begun.
    ///
    /// - Complexity: O(members on a board) for every board that much was counted for.
    public func endReplay() {
        guard let side else { return }
        finishBookings()
        bookings = nil
        side.endReplay()
        for workspace in workspaces {
            for board in workspace.boards {
                for standing in board.standings.values { standing.endReplay() }
            }
        }
    }

    /// Waits until all rewards are booked and settles the accounts; for whatever reads or changes more than actions do.
    @inline(__always)
    func finishBookings() {
        if let bookings, !bookings.isEmpty {
            bookings.finish()
            settle()
        }
    }
}

/// Steps whose rewards are booked beside the owner, in order.
final class BookingQueue {
    /// A step with what the last phases need; the owner has it back when it is done.
    private final class Piece: @unchecked Sendable {
        // Sendable: owned by one thread at a time, and handed on as a whole; the lane is that of whoever books.
        var step = Step()
        private let lane: ShardLane
        /// What the step earned, where that is known already.
        var messages: Buffer<RewardMessage>?

        init(_ lane: ShardLane) { self.lane = lane }

        func book() {
            if let messages { return step.receive(messages.elements, shard: 0, areLoaded: false, into: nil, lane) }
            step.perform(.paying, lane, nil)
        }

        deinit { messages?.deallocate() }
    }

    private let side: SideWork
    private let pieces: ContiguousArray<Piece>
    private var next = 0
    /// Whether all is booked, as far as the owner knows.
    private(set) var isEmpty = true
    private let ownActions: Int
    /// Actions that the owner still books himself, and how often he had waited when that was found.
    private var ownLeft = 0
    private var waits: Int

    init(_ side: SideWork, ownActions: Int) {
        self.side = side
        self.ownActions = ownActions
        waits = side.waits
        let lane = ShardLane(shards: 1)
        pieces = ContiguousArray((0...SideWork.piecesMost).map { _ in Piece(lane) })
    }

    /// Whether the next step, of so many rows, should be booked beside the owner.
    func takes(_ rows: Int) -> Bool {
        if side.waits != waits {
            waits = side.waits
            ownLeft = ownActions
        }
        guard ownLeft > 0 else { return true }
        ownLeft -= rows
        return false
    }

    /// Takes a step whose rows are resolved, and gives another one with the same shapes.
    ///
    /// - Parameter ownLane: where the owner has evaluated the rows already; `nil` where that is still to be done.
    func exchange(_ step: Step, evaluatedInto ownLane: ShardLane?) -> Step {
        isEmpty = false
        // It is done: since the last one was started, at most as many as the others are not.
        let piece = pieces[next]
        next = (next + 1) % pieces.count
        let free = piece.step
        free.shapes = step.shapes
        piece.step = step
        piece.messages?.deallocate()
        piece.messages = nil
        if let ownLane {
            let messages = Buffer<RewardMessage>()
            messages.exchange(with: ownLane.outboxes[0])
            piece.messages = messages
        }
        for shape in step.shapes { _ = shape?.workspace.payTable }
        side.start { piece.book() }
        return free
    }

    /// Waits until all is booked.
    func finish() {
        side.finish()
        isEmpty = true
    }
}
