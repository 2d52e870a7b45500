import CIntrinsics
import Glibc

/// The part of a file that was read last past the kernel's cache: what the device holds, not what was written a moment ago.
///
/// The device fills aligned memory itself, and only whole blocks; reads of any place and length are served from a window of
/// such memory. One window serves for all of a file: reading a large one through the cache would claim a page for each of its
/// own, and on a virtual machine whose host has taken idle memory back that takes longer than everything else.
final class DeviceWindow: @unchecked Sendable {
    // Sendable because only one thread reads a file in this way.

    /// Bytes of the window, and what it begins at a multiple of: no device has larger blocks.
    private static let capacity = 1 << 20
    private static let alignment = 4096

    private let bytes = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: alignment)
    private var start: UInt64 = 0
    private var count = 0

    deinit { bytes.deallocate() }

    /// Copies what the window holds of a file from `offset` on, after it has been filled from there if it holds nothing of it.
    ///
    /// - Returns: how many bytes; 0 at the end of the file, -1 with `errno` when reading fails.
    func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int {
        if offset < start || offset >= start + UInt64(count) {
            start = offset / UInt64(Self.alignment) * UInt64(Self.alignment)
            count = 0
            let filled = Self.fill(bytes, from: descriptor, at: off_t(start))
            guard filled >= 0 else { return -1 }
            count = filled
            guard offset < start + UInt64(count) else { return 0 }
        }
        let skipped = Int(offset - start)
        let copied = min(buffer.count, count - skipped)
        buffer.copyMemory(from: UnsafeRawBufferPointer(start: bytes + skipped, count: copied))
        return copied
    }

    private static func fill(_ bytes: UnsafeMutableRawPointer, from descriptor: Int32, at offset: off_t) -> Int {
        let count = pread(descriptor, bytes, capacity, offset)
        // Some file systems take the flag and then do not know what to do with it.
        guard count < 0, errno == EINVAL, cintrinsics_read_through_cache(descriptor) == 0 else { return count }
        return pread(descriptor, bytes, capacity, offset)
    }
}
