/// Hands out chunks of 4 KiB and takes them back for reuse.
///
/// The columns of one shard share a pool. A snapshot makes the writer copy chunks, and memory touched for the first time
/// costs more than the copy itself; chunks that an earlier snapshot gave back have been touched already. What the
/// pool holds goes back to the system only with `deallocate()`, so its size is the most that was ever in use at once.
///
/// A handle: copies share one pool. The owner calls `deallocate()` once, after everything that took chunks is gone.
public struct ChunkPool: @unchecked Sendable {
    // Sendable by ownership: one thread at a time takes and gives, and a barrier separates the phases of different threads.
    private let header: UnsafeMutablePointer<Header>

    /// The size of every chunk, which is also its alignment.
    public static let chunkBytes = 4096

    private static let firstSlabChunks = 4
    private static let lastSlabChunks = 512

    private struct Header {
        var free: UnsafeMutableRawPointer?
        var freeCount = 0
        var fresh: UnsafeMutableRawPointer?
        var freshCount = 0
        var nextSlabChunks = ChunkPool.firstSlabChunks
        var totalChunks = 0
        var slabs: [(address: UnsafeMutableRawPointer, byteCount: Int)] = []
    }

    /// Makes an empty pool; nothing is allocated before the first chunk.
    public init() {
        header = .allocate(capacity: 1)
        header.initialize(to: Header())
    }

    /// Chunks that can be taken without asking the system for memory that was never touched.
    public var recycledCount: Int { header.pointee.freeCount }

    /// Bytes that the pool has asked the system for; pages never touched are counted but not resident.
    public var reservedBytes: Int { header.pointee.totalChunks * Self.chunkBytes }

    /// Takes one chunk with undefined content.
    func take() -> UnsafeMutableRawPointer {
        if let chunk = header.pointee.free {
            header.pointee.free = chunk.load(as: UnsafeMutableRawPointer?.self)
            header.pointee.freeCount -= 1
            return chunk
        }
        return takeFresh()
    }

    /// Gives back a chunk that `take()` returned.
    func give(_ chunk: UnsafeMutableRawPointer) {
        chunk.storeBytes(of: header.pointee.free, as: UnsafeMutableRawPointer?.self)
        header.pointee.free = chunk
        header.pointee.freeCount += 1
    }

    /// Touches memory ahead, so that at least `count` chunks can be taken without a page fault.
    ///
    /// Worth calling before a freeze, when the writes that follow must not stall. Where that has to happen on another thread,
    /// the caller sees to it that nobody else uses the pool meanwhile.
    public func reserve(_ count: Int) {
        while header.pointee.freeCount < count {
            let chunk = takeFresh()
            chunk.storeBytes(of: 0, as: UInt64.self)
            give(chunk)
        }
    }

    /// Frees all memory, also that of chunks still taken.
    public func deallocate() {
        for slab in header.pointee.slabs {
            StateMemory.free(slab.address, byteCount: slab.byteCount)
        }
        header.deinitialize(count: 1)
        header.deallocate()
    }

    @inline(never)
    private func takeFresh() -> UnsafeMutableRawPointer {
        if header.pointee.freshCount == 0 {
            let chunks = header.pointee.nextSlabChunks
            let slab = StateMemory.allocate(byteCount: chunks * Self.chunkBytes)
            header.pointee.slabs.append((slab, chunks * Self.chunkBytes))
            header.pointee.fresh = slab
            header.pointee.freshCount = chunks
            header.pointee.totalChunks += chunks
            header.pointee.nextSlabChunks = min(chunks * 2, Self.lastSlabChunks)
        }
        let chunk = header.pointee.fresh.unsafelyUnwrapped
        header.pointee.fresh = chunk + Self.chunkBytes
        header.pointee.freshCount -= 1
        return chunk
    }
}
