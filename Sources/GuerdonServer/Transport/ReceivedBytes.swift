import Glibc

/// What a client sent and what is in no batch yet.
///
/// A read goes into a buffer that all connections share. Most of it is used up at once; what is left then gets memory of its
/// own, as much as it needs, so that thousands of connections that wait for the rest of a line cost little.
struct ReceivedBytes: ~Copyable {
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private var isBorrowed = false
    private var start = 0
    private var end = 0

    /// Bytes behind the last one that may be read, though they mean nothing: simdjson loads whole words.
    static let padding = 64

    init() {}

    deinit { if !isBorrowed { free(memory) } }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// The bytes, valid until something is changed.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory.map { UnsafeRawPointer($0 + start) }, count: count)
    }

    /// Adds what a socket has, as much as there is room for.
    ///
    /// ``settle()`` has to follow before anybody else uses `buffer`.
    ///
    /// - Returns: what `recv` returned.
    mutating func receive(from descriptor: CInt, through buffer: UnsafeMutableRawBufferPointer) -> Int {
        if count + ReceivedBytes.leastRead + ReceivedBytes.padding <= buffer.count, let base = buffer.baseAddress {
            borrow(base, buffer.count)
        } else {
            makeRoom(ReceivedBytes.leastRead)
        }
        guard let memory else { return 0 }
        let result = recv(descriptor, memory + end, capacity - ReceivedBytes.padding - end, 0)
        if result > 0 { end += result }
        return result
    }

    /// Room that a read has at least.
    private static let leastRead = 64 << 10

    private mutating func borrow(_ base: UnsafeMutableRawPointer, _ size: Int) {
        if !isEmpty { base.copyMemory(from: bytes.baseAddress ?? UnsafeRawPointer(base), byteCount: count) }
        (start, end) = (0, count)
        if !isBorrowed { free(memory) }
        (memory, capacity, isBorrowed) = (base, size, true)
    }

    /// Gives borrowed memory back: what is left moves into memory of its own.
    mutating func settle() {
        // Memory that is mostly unused goes, too.
        let isWasted = capacity > 1024 && count < capacity / 4
        if isBorrowed || isWasted { move(to: isEmpty ? 0 : count + ReceivedBytes.padding) }
    }

    mutating func removeFirst(_ number: Int) {
        precondition(number <= count, "more is taken than there is")
        start += number
    }

    mutating func removeAll() { start = end }

    mutating func append(_ byte: UInt8) {
        makeRoom(1)
        memory?.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
        end += 1
    }

    private mutating func makeRoom(_ room: Int) {
        if capacity - end < room + ReceivedBytes.padding { move(to: 2 * count + room + ReceivedBytes.padding) }
    }

    private mutating func move(to size: Int) {
        var target: UnsafeMutableRawPointer?
        if size > 0 {
            target = malloc(size)
            precondition(target != nil, "no memory for \(size) bytes that a client sent")
            if let source = bytes.baseAddress { target?.copyMemory(from: source, byteCount: count) }
        }
        (start, end) = (0, count)
        if !isBorrowed { free(memory) }
        (memory, capacity, isBorrowed) = (target, size, false)
    }
}
