import Glibc

/// The floor under every durable acknowledgement: appending so many bytes to a file and waiting for the disk.
enum BareSync {
    /// The median in nanoseconds of some hundred appends with `fdatasync`; nil when the directory is not writable.
    static func medianNanoseconds(in directory: String, bytes: Int, rounds: Int = 300) -> Int64? {
        let path = directory + "/bare-sync"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { return nil }
        defer {
            close(file)
            unlink(path)
        }
        let record = [UInt8](repeating: 0x2A, count: max(1, bytes))
        var histogram = Histogram()
        for _ in 0..<rounds {
            let start = now()
            guard write(file, record, record.count) == record.count, fdatasync(file) == 0 else { return nil }
            histogram.record(now() - start)
        }
        return histogram.value(at: 0.5)
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
