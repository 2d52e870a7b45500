/// How much is logged in a second, as far as the last second or two tell.
struct LogRate {
    private var start: Int64
    private var startBytes: UInt64
    private var bytesPerSecond: UInt64 = 0

    private static let second: Int64 = 1_000_000_000

    /// - Parameters:
    ///   - bytes: logged so far, in all.
    ///   - time: in nanoseconds.
    init(bytes: UInt64, at time: Int64) {
        start = time
        startBytes = bytes
    }

    /// Takes note of how much has been logged by now, and gives the bytes of a second.
    @discardableResult
    mutating func note(bytes: UInt64, at time: Int64) -> UInt64 {
        let passed = time - start
        if passed >= LogRate.second {
            bytesPerSecond = (bytes - startBytes) / UInt64(max(1, passed / LogRate.second))
            start = time
            startBytes = bytes
        }
        // A second that has just begun may be a busier one.
        return max(bytesPerSecond, bytes - startBytes)
    }
}
