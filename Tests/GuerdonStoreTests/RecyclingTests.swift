import Glibc
import TestSupport
import Testing

@testable import GuerdonStore

/// Segments written over the blocks of archived ones: nothing of the earlier life is ever taken for the log.
struct RecyclingTests {
    /// A log whose last segment is recycled, its last batches unsynced; all batches, and how many were synced.
    static func make(_ path: String, sealed: Bool) throws -> (model: [Batch], synced: Int, file: String) {
        let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite), segmentBytes: 4096)
        var model: [Batch] = []
        func append(_ length: Int) throws {
            let batch = Batch.sample(wal.lastSequence + 1, length: length, seed: UInt64(model.count))
            try wal.append(batch)
            model.append(batch)
        }
        // Records of one size, so that those of the earlier life lie exactly where new ones begin.
        while wal.log.lastSegment.header.index < 3 { try append(100) }
        try wal.log.archiveSealedSegments()
        while wal.log.lastSegment.header.index < 4 { try append(100) }
        #expect(wal.log.lastSegment.header.isRecycled)
        for _ in 0..<4 { try append(100) }
        try wal.sync()
        let synced = model.count
        for _ in 0..<4 { try append(100) }
        if sealed { try wal.seal() }
        return (model, synced, wal.log.lastSegment.file.path)
    }

    @Test func aRecycledSegmentReopensAndGoesOn() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        var (model, _, _) = try RecyclingTests.make(path, sealed: false)
        for round in 0..<30 {
            let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite), segmentBytes: 4096)
            #expect(wal.recovery.tornTail == nil)
            #expect(try wal.log.all() == model)
            for index in 0..<12 {
                let batch = Batch.sample(wal.lastSequence + 1, length: index * 83 % 500, seed: UInt64(index))
                try wal.append(batch)
                model.append(batch)
            }
            try wal.log.archiveSealedSegments()
            let spares = Scratch.names(path + "/wal").filter { $0.hasSuffix(".spare") }
            #expect(spares.count <= 2, "round \(round)")
        }
        #expect(try LogDamageTests.read(path).batches == model)
    }

    @Test func anUnsyncedTailOverOldRecordsIsCutWhereverItIsTorn() throws {
        let scratch = Scratch()
        let source = try scratch.ledger("source")
        let (model, synced, file) = try RecyclingTests.make(source, sealed: false)
        let whole = try contents(file)
        let name = String(file.dropFirst(source.count))
        let record = 64 + 104
        // Where the first unsynced record begins: found by its sequence number.
        let start = try #require(
            stride(from: 64, to: whole.count - 64, by: 8).first { place in
                whole.withUnsafeBytes { bytes in
                    if case .header(let header) = RecordHeader.decode(bytes.slice(place, 64)) {
                        return header.firstSequence == model[synced].first
                    }
                    return false
                }
            })
        let path = scratch.path + "/copy"
        try copyTree(source, path)
        for place in stride(from: start, to: start + 4 * record, by: 3) {
            for kind in 0..<4 {
                var bytes = whole
                switch kind {
                case 0: bytes[place] ^= 0x10
                case 1: for index in place..<start + 4 * record { bytes[index] = 0 }
                // What an earlier life may have left: garbage, or whole records of another segment.
                case 2: for index in place..<start + 4 * record { bytes[index] = UInt8(truncatingIfNeeded: index | 1) }
                default:
                    let old = whole.count - whole.count % 8 - record
                    for index in place..<start + 4 * record { bytes[index] = bytes[old + index % record] }
                }
                try overwrite(path + name, bytes)
                let read = try LogDamageTests.read(path)
                #expect(read.batches.count >= synced && Array(model.prefix(read.batches.count)) == read.batches)
                guard place % 10 == 0 else { continue }
                try LogDamageTests.repairAndGoOn(path, read.batches, dropped: read.report.tornTail)
                TemporaryDirectory.remove(path)
                try copyTree(source, path)
            }
        }
    }

    @Test func everyFlippedByteOfASealedRecycledSegmentIsRefusedOrHarmless() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let (model, _, file) = try RecyclingTests.make(path, sealed: true)
        let whole = try contents(file)
        var refused = 0
        for place in 0..<whole.count {
            var bytes = whole
            bytes[place] ^= UInt8(1 << (place % 8))
            try overwrite(file, bytes)
            do throws(StoreError) {
                #expect(try LogDamageTests.read(path).batches == model, "byte \(place)")
            } catch {
                refused += 1
                #expect(error.file == file && error.offset != nil)
            }
        }
        // Eight records of 168 bytes and the header, at the least.
        #expect(refused >= 64 + 8 * 168)
    }

    @Test func aFileThatIsStillReadIsNotWrittenOver() throws {
        let scratch = Scratch()
        let wal = try WriteAheadLog.open(in: DataDirectory.open(at: scratch.ledger(), .readWrite), segmentBytes: 4096)
        var model: [Batch] = []
        for index in 0..<60 {
            model.append(Batch.sample(UInt64(index + 1), length: 300, seed: UInt64(index)))
            try wal.append(model[index])
        }
        var reader = try wal.log.reader()
        #expect(try reader.next()?.info.firstSequence == 1)
        try wal.log.archiveSealedSegments()
        for index in 60..<120 {
            model.append(Batch.sample(UInt64(index + 1), length: 300, seed: UInt64(index)))
            try wal.append(model[index])
        }
        for batch in model.dropFirst() {
            let record = try #require(try reader.next())
            #expect(record.payload.elementsEqual(batch.payload))
        }
    }
}
