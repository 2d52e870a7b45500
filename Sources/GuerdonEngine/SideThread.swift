import GuerdonCore

/// A thread that works beside whoever gives it work, on one piece after the other.
final class SideThread: SideRunner {
    private struct State {
        /// What waits, oldest first.
        var waiting: [@Sendable () -> Void] = []
        var isRunning = false
        /// Whether the thread has begun with what was gathered, or somebody waits for it.
        var goesOn = false
        var isClosed = false

        var pieces: Int { waiting.count + (isRunning ? 1 : 0) }
    }
    private let state = Monitor(State())
    private let gathered: Int

    /// Starts the thread.
    ///
    /// - Parameter gathered: pieces that wait before the thread begins, unless somebody waits for them: to be woken takes as
    ///   long as a small one.
    init(name: String, gathered: Int = 1) {
        self.gathered = gathered
        DedicatedThread.detach(name: name) { [state] in
            while true {
                let next: (@Sendable () -> Void)?? = state.wait { state in
                    guard !state.waiting.isEmpty else {
                        state.goesOn = false
                        return state.isClosed ? .some(nil) : nil
                    }
                    guard state.goesOn || state.waiting.count >= gathered else { return nil }
                    state.goesOn = true
                    state.isRunning = true
                    return .some(state.waiting.removeFirst())
                }
                guard let work = next ?? nil else { return }
                work()
                state.change { $0.isRunning = false }
            }
        }
    }

    deinit {
        state.change {
            $0.goesOn = true
            $0.isClosed = true
        }
    }

    func start(_ work: @escaping @Sendable () -> Void) {
        let waiting: Int? = state.wait { state in
            guard state.pieces < SideWork.piecesMost else { return nil }
            state.waiting.append(work)
            return state.waiting.count
        }
        if waiting == gathered { state.wake() }
    }

    func finish() {
        let mustWake = state.changeQuietly { state in
            guard !state.goesOn, !state.waiting.isEmpty else { return false }
            state.goesOn = true
            return true
        }
        if mustWake { state.wake() }
        let _: Bool? = state.wait { $0.pieces == 0 ? true : nil }
    }
}
