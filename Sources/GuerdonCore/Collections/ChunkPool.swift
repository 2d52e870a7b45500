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
        var fresh: UnsafeMutableRawPointer?
        var freshCount = 0
        var nextSlabChunks = ChunkPool.firstSlabChunks
        var slabs: [(address: UnsafeMutableRawPointer, byteCount: Int)] = []
    }

    /// Makes an empty pool; nothing is allocated before the first chunk.
    public init() {
        header = .allocate(capacity: 1)
        header.initialize(to: Header())
    }

    /// Takes one chunk with undefined content.
    func take() -> UnsafeMutableRawPointer {
        if let chunk = header.pointee.free {
            header.pointee.free = chunk.load(as: UnsafeMutableRawPointer?.self)
            return chunk
        }
        return takeFresh()
    }

    /// Gives back a chunk that `take()` returned.
    func give(_ chunk: UnsafeMutableRawPointer) {
        chunk.storeBytes(of: header.pointee.free, as: UnsafeMutableRawPointer?.self)
        header.pointee.free = chunk
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
            header.pointee.nextSlabChunks = min(chunks * 2, Self.lastSlabChunks)
        }
        let chunk = header.pointee.fresh.unsafelyUnwrapped
        header.pointee.fresh = chunk + Self.chunkBytes
        header.pointee.freshCount -= 1
        return chunk
    }
}
