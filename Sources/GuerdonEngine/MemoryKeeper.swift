import GuerdonCore

/// Touches memory before the evaluating thread needs it, on a thread of its own.
///
/// On a virtual machine the first touch of memory may take milliseconds; a growing state and a snapshot under load need
/// much of it. The thread gives way: it works ahead, and whoever wakes up meanwhile should not wait for it.
final class MemoryKeeper: Sendable {
    private struct State {
        var wantedBytes: Int?
        var isClosing = false
    }
    private let state: Monitor<State>
    private let thread: DedicatedThread

    init() {
        let state = Monitor(State())
        self.state = state
        thread = DedicatedThread(name: "memory", givesWay: true) {
            while true {
                let wanted: Int?? = state.wait { state in
                    state.isClosing ? .some(nil) : state.wantedBytes.map { .some($0) }
                }
                guard let bytes = wanted ?? nil else { return }
                StateReserve.prepare(byteCount: bytes)
                state.change { if $0.wantedBytes == bytes { $0.wantedBytes = nil } }
            }
        }
    }

    /// To be called between batches; hardly ever does anything.
    func check() {
        if StateReserve.isShort { state.change { if $0.wantedBytes == nil { $0.wantedBytes = 0 } } }
    }

    /// Begins to have so many bytes ready.
    func prepare(byteCount: Int) { state.change { $0.wantedBytes = byteCount } }

    /// Whether what was asked for is there.
    var isReady: Bool { state.wait { .some($0.wantedBytes == nil) } ?? true }

    /// Ends the thread.
    func close() {
        state.change { $0.isClosing = true }
        thread.join()
    }
}
