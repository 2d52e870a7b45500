/// Opens the segments of a ledger and decides what a crash, or damage, has left.
///
/// Everything but the last segment must be whole to its last byte. In the last, the first record that is not valid ends
/// the log: torn, if nothing says that it had ever been durable; otherwise damage, and the ledger does not start.
struct LogRecovery {
    let directory: DataDirectory
    /// Sequence number that a snapshot proves to have been durable.
    let provenThrough: UInt64

    /// How the next segment must begin.
    private var nextIndex: UInt64 = 1
    private var nextSequence: UInt64 = 1
    private var chain: UInt64
    private var archives: [ArchiveHeader] = []
    private var segments: [Segment] = []
    private var lastTime: Int64?
    /// Highest durable sequence number that a record of the last segment claims.
    private var claimedThrough: UInt64 = 0
    private var endsWithSeal = false

    init(directory: DataDirectory, provenThrough: UInt64) {
        self.directory = directory
        self.provenThrough = provenThrough
        chain = Chain.initial(directory.identity)
    }

    /// What the writer needs to go on.
    struct Outcome {
        var log: BatchLog
        var report: RecoveryReport
        /// Whether the last record is a seal over everything before it.
        var isSealed: Bool
    }

    /// Reads all plain segments; in a read-write opening also makes the end of the log durable and safe to extend.
    mutating func run() throws(StoreError) -> Outcome {
        let indexes = try list(directory.walPath, suffix: ".wal")
        try takeArchives(besides: indexes)
        for (place, index) in indexes.enumerated() {
            try expect(index)
            let segment = try open(index)
            try expect(segment.header, segment.file.path)
            try scan(segment, isLast: place == indexes.count - 1)
            segments.append(segment)
            nextIndex += 1
            nextSequence = segment.nextSequence
            chain = segment.chain
        }
        guard !segments.isEmpty else { throw missing(nextIndex) }
        let torn = try settleTail()
        let log = BatchLog(directory: directory, archives: archives, segments: segments, spares: try spares())
        let report = RecoveryReport(
            firstSequence: log.firstSequence, lastSequence: log.lastSequence, chain: log.chain, lastTime: lastTime,
            segments: segments.count, archives: archives.count, tornTail: torn)
        return Outcome(log: log, report: report, isSealed: endsWithSeal && torn == nil)
    }

    /// Takes the archives by their headers; what is in them is checked when it is read.
    private mutating func takeArchives(besides plain: [UInt64]) throws(StoreError) {
        for index in try list(directory.archivePath, suffix: ".wal.zst") {
            let path = Archive.path(index, in: directory)
            if plain.contains(index) {
                // A crash between naming the archive and removing the segment: the segment is still the truth.
                if directory.access == .readWrite { try directory.system.remove(path) }
                continue
            }
            try expect(index)
            let header = try Archive.header(index, in: directory)
            try expect(header.segment, path)
            archives.append(header)
            nextIndex += 1
            nextSequence = header.nextSequence
            chain = header.chainOut
        }
    }

    /// Files set aside for new segments. What is in them does not matter.
    private func spares() throws(StoreError) -> [BatchLog.Spare] {
        guard directory.access == .readWrite else { return [] }
        var spares: [BatchLog.Spare] = []
        for index in try list(directory.walPath, suffix: ".spare") {
            let path = Segment.sparePath(index, in: directory.walPath)
            if spares.count < BatchLog.sparesMost {
                spares.append(BatchLog.Spare(file: try directory.system.open(path, .update)))
            } else {
                try directory.system.remove(path)
            }
        }
        return spares
    }

    /// The numbers in the names of a directory's files, ascending; the directory's entries are durable then.
    private func list(_ path: String, suffix: String) throws(StoreError) -> [UInt64] {
        var indexes: [UInt64] = []
        for name in try directory.system.list(path) ?? [] {
            if let index = number(inName: name, suffix: suffix) { indexes.append(index) }
        }
        if directory.access == .readWrite { try directory.system.syncDirectory(path) }
        return indexes
    }

    private func expect(_ index: UInt64) throws(StoreError) {
        guard index == nextIndex else { throw missing(nextIndex) }
    }

    private func expect(_ header: SegmentHeader, _ path: String) throws(StoreError) {
        guard header.firstSequence == nextSequence, header.chain == chain else {
            throw StoreError(
                .chainBroken, file: path, offset: 0,
                detail: "the segment begins at \(header.firstSequence) and does not continue the one before, "
                    + "which ends at \(nextSequence - 1)",
                advice: Advice.restore)
        }
    }

    private func missing(_ index: UInt64) -> StoreError {
        StoreError(
            .segmentMissing, file: Segment.path(index, in: directory.walPath),
            detail: "segment \(index) of the log is missing", advice: Advice.restore)
    }

    private func open(_ index: UInt64) throws(StoreError) -> Segment {
        let path = Segment.path(index, in: directory.walPath)
        let isWriter = directory.access == .readWrite
        let file = try directory.system.open(path, isWriter ? .update : .read)
        // What is read from here on must be what the disk holds, not what a dead process left in memory.
        if isWriter { try file.sync(metadata: true) }
        let bytes = try file.bytes(at: 0, count: Int(min(try file.size, UInt64(SegmentHeader.size)))) ?? []
        let header = try bytes.span.withUnsafeBytes { buffer throws(StoreError) in
            try SegmentHeader.decode(buffer, path: path, identity: directory.identity, index: index)
        }
        return Segment(file: file, header: header)
    }

    /// Checks every record of `segment` and publishes the valid ones.
    private mutating func scan(_ segment: Segment, isLast: Bool) throws(StoreError) {
        let size = try segment.file.size
        var cursor = RecordCursor(
            LogExtent(bytes: segment.file, header: segment.header, entry: segment.position(of: 0).entry, end: size))
        claimedThrough = 0
        endsWithSeal = false
        while true {
            switch try cursor.next() {
            case .record(let header):
                segment.publish(header)
                claimedThrough = max(claimedThrough, header.syncedThrough)
                endsWithSeal = header.kind == .seal
                if header.kind == .batch { lastTime = header.time }
            case .end: return
            case .damaged(let code, let detail):
                // A torn write yields no whole record that is newer or stands in the wrong place.
                if isLast, code == .recordDamaged { return }
                throw damage(code, segment, detail)
            }
        }
    }

    private func damage(_ code: StoreError.Code, _ segment: Segment, _ detail: String) -> StoreError {
        StoreError(
            code, file: segment.file.path, offset: segment.end, detail: detail,
            advice: code == .unsupportedVersion ? "Use the release that wrote it or a newer one" : Advice.restore)
    }

    /// Tells a torn tail from damage and leaves a log that can be extended.
    private mutating func settleTail() throws(StoreError) -> RecoveryReport.TornTail? {
        let segment = segments[segments.count - 1]
        let end = segment.end
        let tail = try TailScan(segment, from: end)
        var proven = max(claimedThrough, tail.provenThrough)
        if tail.end > end { proven = max(proven, provenThrough) }
        guard proven < segment.nextSequence else {
            throw damage(
                .recordDamaged, segment,
                "record \(segment.nextSequence) is unreadable, yet everything through \(proven) had been durable")
        }
        guard provenThrough < segment.nextSequence else {
            throw StoreError(
                .logBehindSnapshot, file: segment.file.path, offset: end,
                detail: "a snapshot covers \(provenThrough), the log ends at \(segment.nextSequence - 1)",
                advice: Advice.restore)
        }
        var torn: RecoveryReport.TornTail?
        if tail.end > end {
            torn = RecoveryReport.TornTail(
                file: segment.file.path, offset: end, bytes: tail.end - end, batches: tail.batches, copy: nil)
        }
        guard directory.access == .readWrite else { return torn }
        if torn != nil {
            torn!.copy = try copyAside(segment, tail)
            try segment.file.truncate(to: end)
        }
        try rewrite(segment, after: claimedThrough)
        try segment.file.sync(metadata: true)
        if torn != nil { try startFresh(behind: segment) }
        return torn
    }

    /// Writes the records that nothing proves durable once more, in place: after a failed sync the kernel may hold
    /// them as clean pages that the disk never got.
    private func rewrite(_ segment: Segment, after sequence: UInt64) throws(StoreError) {
        let (entry, end) = segment.position(of: sequence + 1)
        var offset = entry.offset
        while offset < end {
            let count = Int(min(end - offset, UInt64(StoreLimits.readBlock)))
            guard let bytes = try segment.file.bytes(at: offset, count: count) else {
                throw damage(.recordDamaged, segment, "the segment became shorter while it was read")
            }
            try segment.file.write(bytes, at: offset)
            offset += UInt64(count)
        }
    }

    private func copyAside(_ segment: Segment, _ tail: TailScan) throws(StoreError) -> String {
        let stem = "\(segment.file.path).\(tail.start)"
        var path = stem + ".torn"
        var attempt = 1
        while directory.system.exists(path) {
            path = "\(stem).\(attempt).torn"
            attempt += 1
        }
        let copy = try directory.system.open(path, .create)
        var offset = tail.start
        while offset < tail.end {
            let count = Int(min(tail.end - offset, UInt64(StoreLimits.readBlock)))
            let bytes = try segment.file.bytes(at: offset, count: count) ?? []
            try copy.write(bytes, at: offset - tail.start)
            offset += UInt64(count)
        }
        try copy.sync(metadata: true)
        try directory.system.syncDirectory(directory.walPath)
        return path
    }

    /// Nothing is appended behind a cut: the log goes on in a segment of its own, or in a fresh file of the same index
    /// if no batch was left.
    private mutating func startFresh(behind segment: Segment) throws(StoreError) {
        let isEmpty = segment.nextSequence == segment.header.firstSequence
        let header = SegmentHeader(
            identity: directory.identity, index: segment.header.index + (isEmpty ? 0 : 1),
            firstSequence: segment.nextSequence, chain: segment.chain)
        let fresh = try Segment.create(header, in: directory.walPath, reserving: 0, system: directory.system)
        if isEmpty { segments.removeLast() }
        segments.append(fresh)
    }
}
