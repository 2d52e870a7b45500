import Glibc
import GuerdonCore
import Synchronization
import TestSupport
import Testing

@testable import GuerdonStore

struct HistoryTests {
    /// Postings as an engine makes them: a few to some commands, none to others, now and then very many.
    static func postings(from first: UInt64, commands: Int, seed: UInt64) -> [Posting] {
        var random = SplitMix64(seed: seed)
        var result: [Posting] = []
        for index in 0..<commands {
            let sequence = first + UInt64(index)
            let many = Int.random(in: 0..<400, using: &random) == 0
            for _ in 0..<(many ? 900 : Int.random(in: 0...5, using: &random)) {
                let isFirst = Bool.random(using: &random)
                let wide = Int.random(in: 0..<50, using: &random) == 0
                result.append(
                    Posting(
                        sequence: sequence, previous: isFirst ? 0 : UInt64.random(in: 1...sequence, using: &random),
                        amount: wide
                            ? [Int64.min, Int64.max, 0].randomElement(using: &random)!
                            : Int64.random(in: -500...50_000, using: &random),
                        workspace: wide ? .random(in: 0...UInt16.max, using: &random) : 0,
                        member: wide ? .max : .random(in: 0..<1_000_000, using: &random),
                        currency: .random(in: 0...2, using: &random),
                        kind: Posting.Kind.allCases.randomElement(using: &random)!,
                        plan: Bool.random(using: &random) ? Posting.noPlan : .random(in: 0..<3, using: &random),
                        bonus: wide ? .max : 1, reward: .random(in: 0...1, using: &random),
                        level: .random(in: 0...3, using: &random)))
            }
        }
        return result
    }

    static func expect(_ history: History, holds model: [Posting], through last: UInt64) throws {
        var bySequence: [UInt64: [Posting]] = [:]
        for posting in model { bySequence[posting.sequence, default: []].append(posting) }
        for sequence in 0...last + 1 {
            let found = try history.postings(at: sequence)
            if found != bySequence[sequence] ?? [] { Issue.record("postings of \(sequence) differ") }
        }
        #expect(try history.verify() == UInt64(model.count))
    }

    @Test(arguments: [UInt64(1), 2, 3])
    func postingsComeBackAcrossBlocksBatchesAndReopening(seed: UInt64) throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        var random = SplitMix64(seed: seed)
        let model = HistoryTests.postings(from: 1, commands: 20_000, seed: seed)
        let last = model.last!.sequence
        var done = 0
        while done < model.count {
            let history = try History.open(in: DataDirectory.open(at: path, .readWrite))
            #expect(history.cut == nil)
            #expect(history.lastSequence == (done == 0 ? 0 : model[done - 1].sequence))
            let stop = min(model.count, done + model.count / 3 + 1)
            while done < stop {
                var end = min(model.count, done + Int.random(in: 1...3000, using: &random))
                while end < model.count, model[end].sequence == model[end - 1].sequence { end += 1 }
                try Array(model[done..<end]).withUnsafeBufferPointer { try history.append($0) }
                done = end
                let probe = model[Int.random(in: 0..<done, using: &random)].sequence
                #expect(try history.postings(at: probe) == model.filter { $0.sequence == probe })
            }
            try history.flush(through: history.lastSequence, sync: Bool.random(using: &random))
        }
        let history = try History.open(in: DataDirectory.open(at: path, .readOnly))
        #expect(history.coveredThrough == last)
        try HistoryTests.expect(history, holds: model, through: last)
        #expect(try Double(history.fileBytes) / Double(model.count) < 16)
    }

    @Test func postingsGivenAgainInAReplayAreSkipped() throws {
        let scratch = Scratch()
        let history = try History.open(in: DataDirectory.open(at: scratch.ledger(), .readWrite))
        let model = HistoryTests.postings(from: 1, commands: 300, seed: 9)
        let middle = model.firstIndex { $0.sequence >= 150 }!
        try Array(model[..<middle]).withUnsafeBufferPointer { try history.append($0) }
        try Array(model[(middle / 2)..<middle]).withUnsafeBufferPointer { try history.append($0) }
        try model.withUnsafeBufferPointer { try history.append($0) }
        try model.withUnsafeBufferPointer { try history.append($0) }
        try HistoryTests.expect(history, holds: model, through: 300)
    }

    @Test func postingsThatWaitAreReadAsIfTheyWerePacked() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let history = try History.open(in: DataDirectory.open(at: path, .readWrite))
        let model = HistoryTests.postings(from: 1, commands: 12_000, seed: 6)
        let buffer = Buffer<Posting>()
        defer { buffer.deallocate() }
        let half = model.firstIndex { $0.sequence > 6_000 }!
        for (batch, run) in [model[..<half], model[half...]].enumerated() {
            Array(run).withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
            try history.enqueue(buffer)
            #expect(buffer.isEmpty && history.waitingBatches == batch + 1)
        }
        #expect(history.lastSequence == 0)
        for sequence in [UInt64(1), 5_999, 6_000, 6_001, 11_999, 12_000, 12_001] {
            #expect(try history.postings(at: sequence) == model.filter { $0.sequence == sequence })
        }
        #expect(try history.packNext() == 1)
        // The first half is in blocks, the second one waits.
        for sequence in stride(from: UInt64(1), to: 12_000, by: 617) {
            #expect(try history.postings(at: sequence) == model.filter { $0.sequence == sequence })
        }
        try history.flush(through: 12_000, sync: true)
        #expect(history.waitingBatches == 0 && history.coveredThrough >= model.last!.sequence)
        try HistoryTests.expect(history, holds: model, through: 12_000)
    }

    @Test func readersAndAPackingThreadMeet() async throws {
        let scratch = Scratch()
        let history = try History.open(in: DataDirectory.open(at: scratch.ledger(), .readWrite))
        let model = HistoryTests.postings(from: 1, commands: 30_000, seed: 8)
        var starts: [UInt64: Int] = [:]
        for (index, posting) in model.enumerated() where starts[posting.sequence] == nil {
            starts[posting.sequence] = index
        }
        let done = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !done.isRaised || history.waitingBatches > 0 { try history.packNext() }
            }
            let buffer = Buffer<Posting>()
            defer { buffer.deallocate() }
            var (given, random) = (0, SplitMix64(seed: 3))
            while given < model.count {
                var end = min(model.count, given + 1500)
                while end < model.count, model[end].sequence == model[end - 1].sequence { end += 1 }
                Array(model[given..<end]).withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
                try history.enqueue(buffer)
                given = end
                for _ in 0..<40 {
                    let sequence = model[Int.random(in: max(0, given - 20_000)..<given, using: &random)].sequence
                    let found = try history.postings(at: sequence)
                    let first = try #require(starts[sequence])
                    #expect(found == Array(model[first..<first + found.count]) && !found.isEmpty)
                    #expect(first + found.count == model.count || model[first + found.count].sequence > sequence)
                }
            }
            done.raise()
            try await group.waitForAll()
        }
        try HistoryTests.expect(history, holds: model, through: 30_000)
    }

    @Test func aFailureToPackIsToldToWhoBringsMore() throws {
        let scratch = Scratch()
        let faults = FaultPlan()
        let history = try History.open(in: DataDirectory.open(at: scratch.ledger(), .readWrite, faults: faults))
        let model = HistoryTests.postings(from: 1, commands: 20_000, seed: 2)
        let buffer = Buffer<Posting>()
        defer { buffer.deallocate() }
        model.withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
        try history.enqueue(buffer)
        faults.fail(.write, nth: 2, errorNumber: EIO)
        #expect(throws: StoreError.self) { try history.packNext() }
        faults.heal()
        #expect(history.waitingBatches == 0)
        model.withUnsafeBufferPointer { buffer.append(contentsOf: $0) }
        #expect(throws: StoreError.self) { try history.enqueue(buffer) }
        #expect(throws: StoreError.self) { try history.flush(through: 20_000, sync: true) }
        // What waits can be read all the same: nothing of it was lost.
        #expect(try history.postings(at: 19_999) == model.filter { $0.sequence == 19_999 })
    }

    @Test func resetForgetsEverythingAndStartsAgain() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let directory = try DataDirectory.open(at: path, .readWrite)
        let history = try History.open(in: directory)
        let model = HistoryTests.postings(from: 1, commands: 9_000, seed: 4)
        try model.withUnsafeBufferPointer { try history.append($0) }
        try history.flush(through: 9_000, sync: true)
        #expect(history.coveredThrough == 9_000)
        try history.reset()
        #expect(history.coveredThrough == 0 && history.lastSequence == 0)
        #expect(try history.postings(at: model[0].sequence) == [])
        try model.withUnsafeBufferPointer { try history.append($0) }
        try HistoryTests.expect(history, holds: model, through: 9_000)
    }

    @Test func coverageIsNotedEvenWhereNothingWasPosted() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        do {
            let history = try History.open(in: DataDirectory.open(at: path, .readWrite))
            try history.flush(through: 70, sync: true)
            try history.flush(through: 70, sync: true)
        }
        let history = try History.open(in: DataDirectory.open(at: path, .readOnly))
        #expect(history.coveredThrough == 70 && history.lastSequence == 0 && history.cut == nil)
    }

    /// Every truncation and every flipped byte: what is left is a prefix, its claim of coverage is true, or reading
    /// says that it is damaged; and a replay makes it whole again.
    @Test func damageIsCutAndReplayFillsTheGap() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let model = HistoryTests.postings(from: 1, commands: 60, seed: 11).filter { $0.sequence % 20 < 12 }
        do {
            let history = try History.open(in: DataDirectory.open(at: path, .readWrite))
            for part in 0..<3 {
                let some = model.filter { Int($0.sequence - 1) / 20 == part }
                try some.withUnsafeBufferPointer { try history.append($0) }
                try history.flush(through: UInt64(part + 1) * 20, sync: true)
            }
        }
        let file = path + "/history/00000000000000000001.hist"
        let whole = try contents(file)
        let damages =
            (0..<whole.count).map { length in Array(whole[..<length]) }
            + (0..<whole.count).map { place in
                var bytes = whole
                bytes[place] ^= UInt8(1 << (place % 8))
                return bytes
            }
        for bytes in damages {
            try overwrite(file, bytes)
            let history = try History.open(in: DataDirectory.open(at: path, .readWrite))
            let covered = history.coveredThrough
            #expect([0, 20, 40].contains(covered), "\(covered)")
            try HistoryTests.expect(history, holds: model.filter { $0.sequence <= covered }, through: covered)
            try model.withUnsafeBufferPointer { try history.append($0) }
            try history.flush(through: 60, sync: false)
            try HistoryTests.expect(history, holds: model, through: 60)
        }
    }

    @Test func damageInAnOlderFileIsReportedWhenItIsRead() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let model = HistoryTests.postings(from: 1, commands: 4_000, seed: 5)
        do {
            let history = try History.open(in: DataDirectory.open(at: path, .readWrite))
            try model.withUnsafeBufferPointer { try history.append($0) }
            try history.flush(through: 4_000, sync: true)
            let next = try history.state.withLock { state -> Int in
                try history.addFile(&state)
                return state.files.count
            }
            #expect(next == 2)
            let more = HistoryTests.postings(from: 4_001, commands: 50, seed: 6)
            try more.withUnsafeBufferPointer { try history.append($0) }
            try history.flush(through: 4_050, sync: true)
        }
        let file = path + "/history/00000000000000000001.hist"
        var bytes = try contents(file)
        bytes[64 + 64 + 500] ^= 1
        try overwrite(file, bytes)
        let history = try History.open(in: DataDirectory.open(at: path, .readOnly))
        #expect(history.cut == nil)
        let error = #expect(throws: StoreError.self) { _ = try history.postings(at: model[10].sequence) }
        #expect(error?.code == .historyDamaged && error?.offset == 64 && error?.file == file)
        #expect(throws: StoreError.self) { _ = try history.verify() }
        // A missing file takes all later ones with it: coverage tells how far what is left reaches.
        unlink(file)
        #expect(try History.open(in: DataDirectory.open(at: path, .readOnly)).coveredThrough == 0)
    }

    @Test func aFailedWriteFailsTheHistoryForGood() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let faults = FaultPlan()
        let history = try History.open(in: DataDirectory.open(at: path, .readWrite, faults: faults))
        let model = HistoryTests.postings(from: 1, commands: 9_000, seed: 4)
        faults.fail(.write, errorNumber: EIO)
        #expect(throws: StoreError.self) { try model.withUnsafeBufferPointer { try history.append($0) } }
        faults.heal()
        #expect(throws: StoreError.self) { try history.flush(through: 9_000, sync: true) }
    }
}
