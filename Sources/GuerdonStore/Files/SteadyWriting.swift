/// Writes a large file out while it grows, so that its sync at the end has little left to do.
///
/// The disk is shared with the log: what it is given at once is what a sync of the log may have to wait behind.
struct SteadyWriting {
    /// Bytes that are handed to the disk together; twice as many are under way at most.
    private static let piece: UInt64 = 2 << 20
    private static let page: UInt64 = 4096

    /// Whether what was written is likely to be read soon: then it stays in memory, and nothing is waited for.
    private let keepsPages: Bool
    private var started: UInt64
    private var finished: UInt64

    /// - Parameter start: length of the file so far.
    init(from start: UInt64 = 0, keepsPages: Bool = false) {
        self.keepsPages = keepsPages
        started = start / SteadyWriting.page * SteadyWriting.page
        finished = started
    }

    /// To be called when the file has been written up to `end`: hands the next piece over, and waits for the one before.
    mutating func reached(_ end: UInt64, of file: File) {
        guard end - started >= SteadyWriting.piece else { return }
        // The page that the next bytes go into stays.
        let end = end / SteadyWriting.page * SteadyWriting.page
        file.startWriting(started..<end)
        if !keepsPages, finished < started { file.finishWriting(finished..<started) }
        finished = started
        started = end
    }
}
