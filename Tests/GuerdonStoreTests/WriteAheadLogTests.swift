import TestSupport
import Testing

@testable import GuerdonStore

struct WriteAheadLogTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func randomAppendsAndReopensEqualAnArray(seed: UInt64) throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        var random = SplitMix64(seed: seed)
        var model: [Batch] = []
        for _ in 0..<12 {
            let directory = try DataDirectory.open(at: path, .readWrite)
            let wal = try WriteAheadLog.open(in: directory, segmentBytes: 8192)
            #expect(wal.recovery.tornTail == nil)
            #expect(wal.lastSequence == (model.last.map { $0.first + UInt64($0.count) - 1 } ?? 0))
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                let length =
                    Bool.random(using: &random)
                    ? Int.random(in: 0...40, using: &random)
                    : Int.random(in: 0...6000, using: &random)
                let batch = Batch.sample(
                    wal.lastSequence + 1, count: .random(in: 1...9, using: &random), length: length,
                    seed: random.next())
                try wal.append(batch)
                model.append(batch)
                if Bool.random(using: &random) { try wal.sync() }
                if Int.random(in: 0..<6, using: &random) == 0 { try wal.seal() }
                #expect(try wal.log.batch(containing: batch.first).payload == batch.payload)
            }
            #expect(try wal.log.all() == model)
            if let some = model.randomElement(using: &random) {
                #expect(try wal.log.all(from: some.first) == Array(model[model.firstIndex(of: some)!...]))
                let inside = some.first + UInt64(some.count) - 1
                #expect(try wal.log.batch(containing: inside).payload == some.payload)
            }
        }
        let (log, report) = try WriteAheadLog.inspect(DataDirectory.open(at: path, .readOnly))
        #expect(try log.all() == model)
        #expect(report.segments > 2)
    }

    @Test func readerContinuesWithWhatIsAppendedLater() throws {
        let scratch = Scratch()
        let wal = try WriteAheadLog.open(
            in: DataDirectory.open(at: scratch.ledger(), .readWrite), segmentBytes: 4096)
        var reader = try wal.log.reader()
        #expect(try reader.next() == nil)
        for sequence in UInt64(1)...60 {
            let batch = Batch.sample(sequence, length: 300, seed: sequence)
            try wal.append(batch)
            if sequence % 7 == 0 { try wal.seal() }
            let record = try #require(try reader.next())
            #expect([UInt8](record.payload) == batch.payload)
            #expect(record.info.chain == wal.chain)
            #expect(try reader.next() == nil)
        }
    }

    @Test func chainOfASnapshotIsCheckedWhenReadingOn() throws {
        let scratch = Scratch()
        let wal = try WriteAheadLog.open(in: DataDirectory.open(at: scratch.ledger(), .readWrite))
        try wal.append(Batch.sample(1, length: 10, seed: 1))
        let chain = wal.chain
        try wal.seal()
        try wal.append(Batch.sample(2, length: 10, seed: 2))
        var reader = try wal.log.reader(from: 2, chain: chain)
        #expect(try reader.next()?.info.firstSequence == 2)
        #expect(throws: StoreError.self) { _ = try wal.log.reader(from: 2, chain: chain &+ 1) }
        #expect(throws: StoreError.self) { _ = try wal.log.reader(from: 4) }
        #expect(throws: StoreError.self) { _ = try wal.log.batch(containing: 3) }
        #expect(throws: StoreError.self) { _ = try wal.log.batch(containing: 0) }
    }

    @Test func aBatchMayBeOneBufferOrTwoOrEmpty() throws {
        let scratch = Scratch()
        let wal = try WriteAheadLog.open(in: DataDirectory.open(at: scratch.ledger(), .readWrite))
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        try Array("abcdefghij".utf8).withUnsafeBytes { bytes in
            try wal.append(firstSequence: 1, count: 1, time: 0, bytes)
            try wal.append(firstSequence: 2, count: 1, time: 0, none, bytes)
            try wal.append(firstSequence: 3, count: 1, time: 0, none)
            try wal.append(firstSequence: 4, count: 1, time: 0, bytes, bytes)
        }
        #expect(try wal.log.all().map(\.payload.count) == [10, 10, 0, 20])
    }

    @Test func tooLargeABatchIsRefusedAndTheLogGoesOn() throws {
        let scratch = Scratch()
        let wal = try WriteAheadLog.open(in: DataDirectory.open(at: scratch.ledger(), .readWrite), segmentBytes: 4096)
        let error = #expect(throws: StoreError.self) {
            try wal.append(Batch(first: 1, count: 1, time: 0, payload: Array(repeating: 7, count: (1 << 24) + 1)))
        }
        #expect(error?.code == .tooLarge)
        let largest = Batch(first: 1, count: 1, time: 0, payload: Array(repeating: 7, count: 1 << 24))
        try wal.append(largest)
        try wal.append(Batch.sample(2, length: 3, seed: 1))
        #expect(try wal.log.all() == [largest, Batch.sample(2, length: 3, seed: 1)])
    }
}
