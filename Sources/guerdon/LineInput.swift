import Glibc
import GuerdonClient

/// A file or standard input, read line by line.
final class LineInput {
    private let descriptor: CInt
    private let path: String
    /// The size of a plain file; nil for pipes and terminals.
    let bytes: Int?

    /// Opens a path; `-` is standard input.
    init(path: String) throws(ClientError) {
        self.path = path == "-" ? "standard input" : path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ClientError(.inputOutput, "cannot read \(path): \(String(cString: strerror(errno)))")
        }
        var status = stat()
        let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        bytes = isFile ? Int(status.st_size) : nil
    }

    deinit {
        if descriptor > STDERR_FILENO { close(descriptor) }
    }

    /// Hands out every line without its newline; a last line without newline counts.
    ///
    /// - Parameter waiting: called with the file descriptor before a read that may wait; returns when it will not.
    func forEachLine(
        _ body: (UnsafeRawBufferPointer) throws -> Void, waiting: (CInt) throws -> Void
    ) throws {
        var buffer = LineBuffer(capacity: 1 << 18)
        while true {
            if bytes == nil { try waiting(descriptor) }
            let outcome = buffer.fill { space in
                let count = read(descriptor, space.baseAddress, space.count)
                if count > 0 { return .moved(count) }
                if count < 0, errno == EINTR || errno == EAGAIN { return .wouldBlock }
                return .ended(count == 0 ? "" : String(cString: strerror(errno)))
            }
            while let result = buffer.nextLine({ line in Result { try body(line) } }) { try result.get() }
            guard case .ended(let reason) = outcome else { continue }
            guard reason.isEmpty else { throw ClientError(.inputOutput, "cannot read \(path): \(reason)") }
            let rest = buffer.takeRest()
            if !rest.isEmpty { try rest.withUnsafeBytes { try body($0) } }
            return
        }
    }

    /// Whether a line holds nothing but white space.
    static func isBlank(_ line: UnsafeRawBufferPointer) -> Bool {
        line.allSatisfy { $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes hold a literal.
    ///
    /// - Complexity: O(bytes).
    func contains(_ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard let baseAddress else { return false }
        var from = 0
        while from + length <= count,
            let first = memchr(baseAddress + from, CInt(text.utf8Start.pointee), count - from - length + 1)
        {
            if memcmp(first, text.utf8Start, length) == 0 { return true }
            from = UnsafeRawPointer(first) - baseAddress + 1
        }
        return false
    }
}
