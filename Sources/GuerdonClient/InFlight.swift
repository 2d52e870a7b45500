/// Lines that were handed in and not acknowledged yet, oldest first, with a mark up to where they were written.
///
/// After a reconnect the mark goes back to the oldest line, and everything is written again in the same order.
struct InFlight {
    private var bytes: [UInt8] = []
    private var lengths: [Int32] = []
    /// Offset in `bytes` of the oldest line, and its index in `lengths`.
    private var oldest = 0
    private var oldestIndex = 0
    /// Offset in `bytes` behind the last byte that was written.
    private var written = 0

    /// How many lines wait for their acknowledgement.
    var count: Int { lengths.count - oldestIndex }

    /// How many bytes are still to be written.
    var unwrittenCount: Int { bytes.count - written }

    /// Takes a line without its newline.
    mutating func append(_ line: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: line)
        bytes.append(0x0A)
        lengths.append(Int32(line.count + 1))
    }

    /// The oldest line is answered.
    ///
    /// - Complexity: amortized O(1).
    mutating func removeOldest() {
        precondition(count > 0, "an acknowledgement without a line in flight")
        oldest += Int(lengths[oldestIndex])
        oldestIndex += 1
        // An answer can only be to a line that was written whole.
        assert(written >= oldest)
        guard oldestIndex > 4_096, oldestIndex > lengths.count / 2 else { return }
        bytes.removeSubrange(..<oldest)
        lengths.removeSubrange(..<oldestIndex)
        written -= oldest
        oldest = 0
        oldestIndex = 0
    }

    /// Nothing of what waits has been written: the connection is a new one.
    mutating func markUnwritten() { written = oldest }

    /// Offers the bytes that are still to be written; `write` says how many it took.
    mutating func writeOut(_ write: (UnsafeRawBufferPointer) -> TCPSocket.Outcome) -> TCPSocket.Outcome {
        let outcome = bytes.withUnsafeBytes { write(UnsafeRawBufferPointer(rebasing: $0[written...])) }
        if case .moved(let count) = outcome { written += count }
        return outcome
    }
}
