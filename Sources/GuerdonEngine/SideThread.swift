import GuerdonCore

/// A thread that does one piece of work at a time beside whoever gives it.
final class SideThread: SideRunner {
    private struct State {
        var work: (@Sendable () -> Void)?
        var isRunning = false
        var isClosed = false
    }
    private let state = Monitor(State())

    init(name: String) {
        DedicatedThread.detach(name: name) { [state] in
            while true {
                let next: (@Sendable () -> Void)?? = state.wait { state in
                    if let work = state.work {
                        state.work = nil
                        return .some(work)
                    }
                    return state.isClosed ? .some(nil) : nil
                }
                guard let work = next ?? nil else { return }
                work()
                state.change { $0.isRunning = false }
            }
        }
    }

    deinit { state.change { $0.isClosed = true } }

    func start(_ work: @escaping @Sendable () -> Void) {
        let _: Bool? = state.wait { state in
            if state.isRunning { return nil }
            state.isRunning = true
            state.work = work
            return true
        }
        state.wake()
    }

    func finish() { let _: Bool? = state.wait { $0.isRunning ? nil : true } }
}
