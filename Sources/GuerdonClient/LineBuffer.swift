import Glibc

/// Bytes as they arrive, handed on line by line without copying.
public struct LineBuffer {
    private var bytes: [UInt8]
    private var start = 0
    private var end = 0
    /// Bytes in front of this offset are known to hold no newline.
    private var scanned = 0

    /// Creates a buffer that grows when a line does not fit.
    public init(capacity: Int = 1 << 16) { bytes = [UInt8](repeating: 0, count: capacity) }

    /// Forgets everything, as after a reconnect.
    public mutating func removeAll() {
        start = 0
        end = 0
        scanned = 0
    }

    /// Lets `read` fill the free space behind what is there, and returns its outcome.
    public mutating func fill(
        _ read: (UnsafeMutableRawBufferPointer) -> TCPSocket.Outcome
    ) -> TCPSocket.Outcome {
        makeRoom()
        let outcome = bytes.withUnsafeMutableBytes { read(UnsafeMutableRawBufferPointer(rebasing: $0[end...])) }
        if case .moved(let count) = outcome { end += count }
        return outcome
    }

    /// Calls `body` with the next whole line, without its newline; returns nil when there is none yet.
    public mutating func nextLine<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result? {
        let from = max(start, scanned)
        let newline = bytes.withUnsafeBytes { all -> Int? in
            guard from < end, let base = all.baseAddress,
                let found = memchr(base + from, 0x0A, end - from)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
        guard let newline else {
            scanned = end
            return nil
        }
        let result = bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<newline])) }
        start = newline + 1
        scanned = start
        return result
    }

    /// What is there behind the last newline: the last line of a file that does not end with one.
    public mutating func takeRest() -> [UInt8] {
        defer { removeAll() }
        return Array(bytes[start..<end])
    }

    private mutating func makeRoom() {
        // Back to the front when everything was taken: what is in the cache is used again.
        if start == end { removeAll() }
        guard bytes.count - end < bytes.count / 4 else { return }
        if start > 0 {
            bytes.withUnsafeMutableBytes { all in
                if let base = all.baseAddress { memmove(base, base + start, end - start) }
            }
            end -= start
            scanned -= start
            start = 0
        }
        if bytes.count - end < bytes.count / 4 {
            bytes.append(contentsOf: repeatElement(0, count: bytes.count))
        }
    }
}
