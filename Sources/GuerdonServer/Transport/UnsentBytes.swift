import Glibc

/// Replies that the kernel has not taken yet.
struct UnsentBytes: ~Copyable {
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0
    private var end = 0

    init() {}

    deinit { free(memory) }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        if capacity - end < bytes.count { makeRoom(bytes.count) }
        memory?.advanced(by: end).copyMemory(from: source, byteCount: bytes.count)
        end += bytes.count
    }

    private mutating func makeRoom(_ room: Int) {
        let held = count
        if let memory, start > 0, capacity >= 2 * held + room {
            memory.copyMemory(from: memory + start, byteCount: held)
        } else {
            let size = 2 * held + room
            let target = malloc(size)
            precondition(target != nil, "no memory for \(size) bytes of replies")
            if let memory { target?.copyMemory(from: memory + start, byteCount: held) }
            free(memory)
            (memory, capacity) = (target, size)
        }
        (start, end) = (0, held)
    }

    /// Gives the kernel as much as it takes.
    ///
    /// - Returns: how many bytes it took; `nil` when nothing can be sent any more.
    mutating func send(to descriptor: CInt) -> Int? {
        let before = count
        while let memory, start < end {
            let sent = Glibc.send(descriptor, memory + start, end - start, CInt(MSG_NOSIGNAL))
            if sent >= 0 {
                start += sent
            } else if errno == EAGAIN {
                return before - count
            } else if errno != EINTR {
                return nil
            }
        }
        free(memory)
        (memory, capacity, start, end) = (nil, 0, 0, 0)
        return before
    }
}
