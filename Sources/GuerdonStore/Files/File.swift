import CIntrinsics
import Glibc

/// An open file, with the handful of system calls that the store needs.
///
/// Every call is positional and therefore safe from several threads; interrupted calls are continued, short ones
/// completed. The descriptor is closed with the last reference.
final class File: Sendable {
    enum Mode {
        case read
        /// To read what the device holds, past the kernel's cache where the file system can do so; for one thread.
        case readDevice
        /// Existing file, read and write.
        case update
        /// New file; refused if it exists.
        case create

        var flags: Int32 {
            switch self {
            case .read, .readDevice: O_RDONLY
            case .update: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        }
    }

    let descriptor: Int32
    let path: String
    private let faults: FaultPlan?
    /// Of a file that is read past the cache.
    private let window: DeviceWindow?

    init(_ path: String, _ mode: Mode, faults: FaultPlan?) throws(StoreError) {
        if let fault = faults?.next(.open) { throw StoreError.system("open", path, fault.errorNumber) }
        var descriptor: Int32
        repeat {
            descriptor = open(path, mode.flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        } while descriptor < 0 && errno == EINTR
        guard descriptor >= 0 else { throw StoreError.system("open", path, errno) }
        self.descriptor = descriptor
        self.path = path
        self.faults = faults
        if mode == .readDevice {
            window = DeviceWindow()
            dropCache()
            cintrinsics_read_past_cache(descriptor)
        } else {
            window = nil
        }
    }

    deinit { close(descriptor) }

    var size: UInt64 {
        get throws(StoreError) {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw StoreError.system("stat", path, errno) }
            return UInt64(max(0, status.st_size))
        }
    }

    /// Whether the file has no name any more, and nobody else has it open, in this process or another.
    var isOursAlone: Bool {
        var status = stat()
        return fstat(descriptor, &status) == 0 && status.st_nlink == 0 && cintrinsics_is_only_opener(descriptor)
    }

    /// Fills `buffer` from `offset` on; the number of bytes read, less than asked for only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) -> Int {
        if let fault = faults?.next(.read) {
            throw StoreError.system("read", path, fault.errorNumber, offset: offset)
        }
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = readOnce(into: rest, at: offset + UInt64(filled))
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw StoreError.system("read", path, errno, offset: offset)
            }
            filled += count
        }
        return filled
    }

    private func readOnce(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) -> Int {
        if let window { return window.read(descriptor, into: buffer, at: offset) }
        return pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
    }

    /// Reads exactly `count` bytes into a fresh array; `nil` if the file ends before.
    func bytes(at offset: UInt64, count: Int) throws(StoreError) -> [UInt8]? {
        if count == 0 { return [] }
        var failure: StoreError?
        let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(StoreError) {
                filled = try read(
                    into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]),
                    at: offset)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return result.count == count ? result : nil
    }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: [UInt8], at offset: UInt64) throws(StoreError) {
        try bytes.span.withUnsafeBytes { buffer throws(StoreError) in try write(buffer, at: offset) }
    }

    /// Writes all of `bytes` at `offset`.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
        try write(&vector, 1, at: offset)
    }

    /// Writes the `count` buffers of `vectors`, one behind the other, at `offset`. Alters `vectors`.
    func write(_ vectors: UnsafeMutablePointer<iovec>, _ count: Int, at offset: UInt64) throws(StoreError) {
        if let fault = faults?.next(.write) {
            if fault.partial > 0 {
                _ = pwrite(descriptor, vectors[0].iov_base, min(fault.partial, vectors[0].iov_len), off_t(offset))
            }
            throw StoreError.system("write", path, fault.errorNumber, offset: offset)
        }
        var vectors = vectors
        var count = count
        var offset = offset
        while count > 0 {
            if vectors.pointee.iov_len == 0 {
                vectors += 1
                count -= 1
                continue
            }
            var written = pwritev(descriptor, vectors, Int32(count), off_t(offset))
            if written < 0 {
                if errno == EINTR { continue }
                throw StoreError.system("write", path, errno, offset: offset)
            }
            guard written > 0 else { throw StoreError.system("write", path, EIO, offset: offset) }
            offset += UInt64(written)
            while written > 0 {
                let part = min(written, vectors.pointee.iov_len)
                if part < vectors.pointee.iov_len {
                    vectors.pointee.iov_base += part
                    vectors.pointee.iov_len -= part
                } else {
                    vectors += 1
                    count -= 1
                }
                written -= part
            }
        }
    }

    /// Makes the contents durable; with `metadata` also the file's length where only that changed.
    ///
    /// An error is final. The kernel may have marked the failed pages clean, so that a second call would lie.
    func sync(metadata: Bool = false) throws(StoreError) {
        if let fault = faults?.next(.sync) { throw syncFailure(fault.errorNumber) }
        while (metadata ? fsync(descriptor) : fdatasync(descriptor)) != 0 {
            if errno != EINTR { throw syncFailure(errno) }
        }
    }

    private func syncFailure(_ number: Int32) -> StoreError {
        StoreError(
            .syncFailed, file: path, errorNumber: number, detail: "the disk did not confirm written data",
            advice: "Check the disk and the system log, then start again; unanswered requests may be sent again")
    }

    func truncate(to length: UInt64) throws(StoreError) {
        if let fault = faults?.next(.truncate) { throw StoreError.system("truncate", path, fault.errorNumber) }
        while ftruncate(descriptor, off_t(length)) != 0 {
            if errno != EINTR { throw StoreError.system("truncate", path, errno) }
        }
    }

    /// Reserves blocks up to `length` and extends the file to it; what it holds stays.
    func reserve(_ length: UInt64) throws(StoreError) {
        if let fault = faults?.next(.allocate) { throw StoreError.system("reserve space", path, fault.errorNumber) }
        while true {
            let number = posix_fallocate(descriptor, 0, off_t(length))
            if number == 0 { return }
            if number != EINTR { throw StoreError.system("reserve space", path, number) }
        }
    }

    /// Starts to write out what was written in a range, without waiting. Only a hint.
    func startWriting(_ range: Range<UInt64>) {
        cintrinsics_start_writing(descriptor, Int64(range.lowerBound), Int64(range.upperBound - range.lowerBound))
    }

    /// Waits until what was written in a range has left memory, and lets its pages go. Only a hint: it is not durable.
    func finishWriting(_ range: Range<UInt64>) {
        cintrinsics_finish_writing(descriptor, Int64(range.lowerBound), Int64(range.upperBound - range.lowerBound))
    }

    /// Asks the kernel to forget cached pages, so that the next read comes from the device. Only a hint.
    func dropCache() { _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }
}
