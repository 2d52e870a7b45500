/// Bytes that are only ever appended and never move: the text of ids, names and reasons.
///
/// What was appended is immutable, so a frozen view is no more than the length and the list of chunks, and other
/// threads may read what they were given while the owner appends. One append lies in one piece; the rest of a chunk that
/// cannot hold the next piece stays unused.
///
/// A handle: copies share one storage. The owner calls `deallocate()` once.
public struct ByteArena: @unchecked Sendable {
    // Sendable by ownership: one thread appends; readers on other threads only touch bytes appended before the hand-over.
    private let header: UnsafeMutablePointer<Header>

    /// The longest piece that can be appended, in bytes.
    public static let pieceLimit = 1 << chunkShift

    static let chunkShift = 16
    static let chunkMask = (1 << chunkShift) - 1

    private struct Header {
        var chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
        var chunkCount = 0
        var chunkCapacity: Int
        /// The offset at which the next piece goes, if it fits into the chunk.
        var end = 0
    }

    /// Makes an empty arena.
    public init() {
        let capacity = 4
        header = .allocate(capacity: 1)
        header.initialize(to: Header(chunks: .allocate(capacity: capacity), chunkCapacity: capacity))
    }

    /// A view of everything appended so far, for any thread; it ends with its own `release()`.
    ///
    /// - Complexity: O(chunks): one word per 64 KiB.
    public func freeze() -> FrozenByteArena {
        let chunks = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: max(header.pointee.chunkCount, 1))
        chunks.update(from: header.pointee.chunks, count: header.pointee.chunkCount)
        return FrozenByteArena(chunks: chunks, end: header.pointee.end)
    }

    /// Frees everything; no offset and no frozen view may be used afterwards.
    public func deallocate() {
        for chunk in 0..<header.pointee.chunkCount {
            StateMemory.free(header.pointee.chunks[chunk], byteCount: 1 << Self.chunkShift)
        }
        header.pointee.chunks.deallocate()
        header.deallocate()
    }
}

extension ByteArena {
    /// The address of a byte below `end`.
    @inline(__always)
    func address(of offset: Int) -> UnsafeRawPointer {
        precondition(offset >= 0 && offset < header.pointee.end, "bytes out of range")
        return UnsafeRawPointer(writableAddress(of: offset))
    }

    /// Makes room for one piece that the caller fills at once, and gives its offset.
    @inline(__always)
    func reserve(_ count: Int, alignment: Int) -> Int {
        precondition(count >= 0 && count <= Self.pieceLimit, "a piece must fit into one chunk")
        var start = (header.pointee.end &+ alignment &- 1) & ~(alignment &- 1)
        let chunkEnd = header.pointee.chunkCount << Self.chunkShift
        if start &+ count > chunkEnd {
            addChunk()
            start = chunkEnd
        }
        header.pointee.end = start &+ count
        return start
    }

    @inline(__always)
    func writableAddress(of offset: Int) -> UnsafeMutableRawPointer {
        header.pointee.chunks[offset &>> Self.chunkShift] + offset & Self.chunkMask
    }

    @inline(never)
    private func addChunk() {
        if header.pointee.chunkCount == header.pointee.chunkCapacity {
            let capacity = header.pointee.chunkCapacity * 2
            let chunks = UnsafeMutablePointer<UnsafeMutableRawPointer>.allocate(capacity: capacity)
            chunks.update(from: header.pointee.chunks, count: header.pointee.chunkCount)
            header.pointee.chunks.deallocate()
            header.pointee.chunks = chunks
            header.pointee.chunkCapacity = capacity
        }
        header.pointee.chunks[header.pointee.chunkCount] = StateMemory.allocate(byteCount: 1 << Self.chunkShift)
        header.pointee.chunkCount += 1
    }
}

/// What a `ByteArena` held at `freeze()`: readable from any thread, until `release()`.
public struct FrozenByteArena: @unchecked Sendable {
    // Sendable because the list is a private copy and the bytes below `end` never change.
    private let chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private let length: Int

    init(chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>, end: Int) {
        self.chunks = chunks
        length = end
    }

    /// The `count` bytes at `offset`, as one piece of the arena. They stay valid until the arena is deallocated.
    public func bytes(at offset: UInt64, count: Int) -> UnsafeRawBufferPointer {
        let start = Int(offset)
        precondition(count >= 0 && count <= length - start, "bytes out of range")
        precondition(start & ByteArena.chunkMask + count <= ByteArena.pieceLimit, "bytes of several pieces")
        guard count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(
            start: chunks[start >> ByteArena.chunkShift] + start & ByteArena.chunkMask, count: count)
    }

    /// Frees the view; the bytes stay with the arena.
    public func release() { chunks.deallocate() }
}
