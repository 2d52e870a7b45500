import Glibc
import Synchronization

/// The log's writing side: batches go in, ``sync()`` makes them durable, and nothing before that may be shown.
///
/// ```swift
/// let log = try WriteAheadLog.open(in: directory)
/// try log.append(firstSequence: log.lastSequence + 1, count: 3, time: now, payload)
/// try log.sync()  // now the three commands may be acknowledged
/// ```
///
/// One thread, the journal, calls ``append(firstSequence:count:time:_:_:)``, ``sync()`` and ``seal()``; everything under
/// ``log``, and ``bytesAppended``, is safe from any thread. Appending costs one system call and allocates nothing. After an
/// error whose `isFatal` is true, every further call fails: the process must stop, and a restart finds the truth.
// Unchecked: the mutable state belongs to the journal thread; what others see lies in `log`, behind mutexes.
public final class WriteAheadLog: @unchecked Sendable {
    /// The readable side.
    public let log: BatchLog
    /// What opening found.
    public let recovery: RecoveryReport
    /// Last sequence number appended, 0 if none.
    public private(set) var lastSequence: UInt64
    /// Last sequence number that is durable.
    public private(set) var syncedThrough: UInt64
    /// Chain value behind ``lastSequence``.
    public private(set) var chain: UInt64
    /// Bytes appended since opening, headers and padding included; may be asked from any thread.
    public var bytesAppended: UInt64 { appended.load(ordering: .relaxed) }
    // Atomic: the evaluating thread looks at it while the journal's writes a seal.
    private let appended = Atomic<UInt64>(0)

    private let directory: DataDirectory
    private let segmentBytes: UInt64
    private let ledgerTag: UInt32
    private var segment: Segment
    /// Where the next record goes.
    private var position: UInt64
    /// Blocks are reserved up to here.
    private var reserved: UInt64
    private var isSealed: Bool
    /// Where in the segment what is not synced begins.
    private var syncStart: UInt64
    private var failure: StoreError?
    private let header: UnsafeMutableRawBufferPointer
    private let vectors: UnsafeMutablePointer<iovec>
    /// Seven zeros, the most that padding needs.
    private let zeros: UnsafeMutableRawBufferPointer

    /// Reads and checks the log, makes its end durable and gets ready to append.
    ///
    /// - Parameter segmentBytes: size of a segment, at least 4,096; a larger batch gets a larger segment.
    /// - Throws: what is missing or damaged, with file, offset and advice. Torn tails are no error: they are cut, kept
    ///   aside and described in ``recovery``.
    public static func open(
        in directory: DataDirectory, segmentBytes: Int = StoreLimits.segment
    ) throws(StoreError) -> WriteAheadLog {
        precondition(directory.access == .readWrite, "appending needs a read-write directory")
        precondition(segmentBytes >= 4096)
        var recovery = LogRecovery(directory: directory, provenThrough: try Snapshots.provenThrough(in: directory))
        let outcome = try recovery.run()
        return WriteAheadLog(directory: directory, outcome: outcome, segmentBytes: UInt64(segmentBytes))
    }

    /// Reads and checks the log of a stopped ledger without changing anything.
    public static func inspect(_ directory: DataDirectory) throws(StoreError) -> (log: BatchLog, report: RecoveryReport)
    {
        var recovery = LogRecovery(directory: directory, provenThrough: try Snapshots.provenThrough(in: directory))
        let outcome = try recovery.run()
        return (outcome.log, outcome.report)
    }

    private init(directory: DataDirectory, outcome: LogRecovery.Outcome, segmentBytes: UInt64) {
        self.directory = directory
        self.segmentBytes = segmentBytes
        log = outcome.log
        recovery = outcome.report
        ledgerTag = directory.identity.tag
        segment = log.lastSegment
        position = segment.end
        syncStart = position
        lastSequence = segment.nextSequence - 1
        syncedThrough = lastSequence
        chain = segment.chain
        isSealed = outcome.isSealed || lastSequence == 0
        reserved = 0
        header = .allocate(byteCount: RecordHeader.size, alignment: 8)
        vectors = .allocate(capacity: 4)
        zeros = .allocate(byteCount: 8, alignment: 8)
        zeros.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit {
        header.deallocate()
        vectors.deallocate()
        zeros.deallocate()
    }

    /// Appends one batch, of which the two buffers are the payload, one behind the other.
    ///
    /// - Parameters:
    ///   - firstSequence: ``lastSequence`` + 1.
    ///   - count: commands in the batch, at least 1.
    ///   - time: the batch's time, nanoseconds since 1970.
    /// - Returns: the chain value behind the batch.
    /// - Throws: `disk_full` if the batch is nowhere and may be tried again later; `too_large` beyond
    ///   ``StoreLimits/batchPayload``; anything else is fatal.
    @discardableResult
    public func append(
        firstSequence: UInt64, count: UInt32, time: Int64, _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) throws(StoreError) -> UInt64 {
        precondition(firstSequence == lastSequence + 1, "the log has no gaps")
        precondition(count > 0)
        let length = first.count + second.count
        guard length <= StoreLimits.batchPayload else {
            throw StoreError(.tooLarge, detail: "a batch of \(length) bytes exceeds \(StoreLimits.batchPayload)")
        }
        try makeRoom(RecordHeader.size + RecordHeader.padded(length))
        let padding = zeros[..<(RecordHeader.padded(length) - length)]
        var sum = Checksum.crc32c(first)
        sum = Checksum.crc32c(second, seed: sum)
        sum = Checksum.crc32c(UnsafeRawBufferPointer(rebasing: padding), seed: sum)
        let record = RecordHeader(
            kind: .batch, count: count, firstSequence: firstSequence, time: time, chain: chain,
            syncedThrough: syncedThrough, payloadLength: UInt32(length), payloadChecksum: sum, ledgerTag: ledgerTag,
            segmentTag: segment.header.segmentTag)
        vectors[1] = iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count)
        vectors[2] = iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
        vectors[3] = iovec(iov_base: zeros.baseAddress, iov_len: padding.count)
        try write(record, vectors: 4)
        lastSequence = record.nextSequence - 1
        chain = segment.chain
        isSealed = false
        return chain
    }

    /// Has the disk begin to write what was appended, so that ``sync()`` waits for less. Nothing is durable by this.
    public func startSync() {
        if syncStart < position { segment.file.startWriting(syncStart..<position) }
    }

    /// Makes everything appended durable; it may be shown when this returns.
    ///
    /// - Throws: `sync_failed`, fatal and never tried again.
    public func sync() throws(StoreError) {
        if let failure { throw after(failure) }
        if syncedThrough == lastSequence { return }
        try orFail { () throws(StoreError) in try segment.file.sync() }
        syncedThrough = lastSequence
        syncStart = position
    }

    /// Makes everything durable and writes into the log that it is. For the journal to call when it falls idle.
    ///
    /// From then on a damaged record before the seal is known for what it is. Does nothing if the log is sealed.
    public func seal() throws(StoreError) {
        try sync()
        guard !isSealed else { return }
        try makeRoom(RecordHeader.size)
        let record = RecordHeader(
            kind: .seal, count: 0, firstSequence: lastSequence + 1, time: 0, chain: chain, syncedThrough: syncedThrough,
            payloadLength: 0, payloadChecksum: 0, ledgerTag: ledgerTag, segmentTag: segment.header.segmentTag)
        try write(record, vectors: 1)
        try orFail { () throws(StoreError) in try segment.file.sync() }
        isSealed = true
    }

    /// Writes `record` and the further vectors at ``position`` and shows it to readers.
    private func write(_ record: RecordHeader, vectors count: Int) throws(StoreError) {
        record.encode(to: header)
        vectors[0] = iovec(iov_base: header.baseAddress, iov_len: RecordHeader.size)
        do throws(StoreError) {
            try segment.file.write(vectors, count, at: position)
        } catch {
            guard error.code == .diskFull else {
                failure = error
                throw error
            }
            // Nothing of the batch was visible: take back what reached the file, and it never was.
            reserved = 0
            try orFail { () throws(StoreError) in try segment.file.truncate(to: position) }
            throw error
        }
        segment.publish(record)
        position += UInt64(record.recordLength)
        appended.add(UInt64(record.recordLength), ordering: .relaxed)
    }

    /// Has reserved space for `count` bytes at ``position``, in a new segment if need be.
    private func makeRoom(_ count: Int) throws(StoreError) {
        if let failure { throw after(failure) }
        let needed = position + UInt64(count)
        if needed <= reserved { return }
        if needed > segmentBytes, position > UInt64(SegmentHeader.size) { return try roll(room: count) }
        do throws(StoreError) {
            let length = max(needed, segmentBytes)
            try segment.file.reserve(length)
            reserved = length
        } catch {
            if error.code != .diskFull { failure = error }
            throw error
        }
    }

    /// Closes the segment at its exact length and goes on in the next.
    private func roll(room: Int) throws(StoreError) {
        try orFail { () throws(StoreError) in
            try segment.file.truncate(to: position)
            try segment.file.sync(metadata: true)
        }
        reserved = 0
        syncedThrough = lastSequence
        let next = SegmentHeader(
            identity: directory.identity, index: segment.header.index + 1, firstSequence: lastSequence + 1, chain: chain
        )
        let length = max(segmentBytes, UInt64(SegmentHeader.size + room))
        do throws(StoreError) {
            segment = try Segment.create(
                next, in: directory.walPath, reserving: length, spare: log.takeSpare(), system: directory.system)
            reserved = length
        } catch {
            if error.code != .diskFull { failure = error }
            throw error
        }
        position = UInt64(SegmentHeader.size)
        syncStart = position
        isSealed = true
        log.append(segment)
    }

    private func orFail(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        do throws(StoreError) {
            try body()
        } catch {
            failure = error
            throw error
        }
    }

    private func after(_ failure: StoreError) -> StoreError {
        StoreError(
            .logFailed, file: failure.file, offset: failure.offset, errorNumber: failure.errorNumber,
            detail: "the log failed earlier: \(failure.detail)", advice: "Stop the process and start it again")
    }
}
