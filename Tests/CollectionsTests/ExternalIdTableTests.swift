import GuerdonCore
import TestSupport
import Testing

struct ExternalIdTableTests {
    static let hash = BitHash(seed: .init(5, 6, 7, 8))

    static func remembered(_ number: Int) -> RememberedId {
        RememberedId(
            sequence: UInt64(number) * 1_000_003 % 0xffff_ffff_fff0, content: UInt64(number) &* 0x9e37_79b9_7f4a_7c15)
    }

    static func key(_ number: Int) -> ExternalIdKey {
        "order/\(number)".withBytes { ExternalIdKey(hash.hash128($0)) }
    }

    @Test func idsAreRememberedWithSequenceAndContent() {
        let table = ExternalIdTable(generationLimit: 1_000_000)
        defer { table.deallocate() }
        var wrong = 0
        for number in 0..<300_000 {
            let key = Self.key(number)
            if table.find(key) != nil { wrong += 1 }
            table.insert(key, Self.remembered(number))
        }
        for number in 0..<300_000 {
            let key = Self.key(number)
            if table.find(key) != Self.remembered(number) { wrong += 1 }
        }
        #expect(wrong == 0)
        #expect(table.count == 300_000)
        #expect(table.storageBytes < 300_000 * 41)
        let extreme = RememberedId(sequence: 0xffff_ffff_fffe, content: .max)
        table.insert(Self.key(-1), extreme)
        #expect(table.find(Self.key(-1)) == extreme)
    }

    /// Keys are searched for, their searches are ended and they are inserted a turn apart, as steps do it, while generations are
    /// closed and sealed and leave in between.
    @Test(arguments: [1, 2, 3, 4])
    func searchesFindWhatIsThereWhateverComesInBetween(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let table = ExternalIdTable(generationLimit: 900)
        defer { table.deallocate() }
        var model: [ExternalIdKey: RememberedId] = [:]
        var searched: (keys: [ExternalIdKey], searches: [IdSearch]) = ([], [])
        var ended = searched
        var generations: [[ExternalIdKey]] = []
        var current: [ExternalIdKey] = []
        var (number, wrong, duplicates) = (0, 0, 0)
        for _ in 0..<2_000 {
            for (row, key) in ended.keys.enumerated() {
                let found = table.find(key, after: ended.searches[row])
                if found != model[key] { wrong += 1 }
                guard found == nil else {
                    duplicates += 1
                    continue
                }
                number += 1
                model[key] = Self.remembered(number)
                current.append(key)
                table.insert(key, Self.remembered(number), after: ended.searches[row])
            }
            // Closed in the middle of everything, and gone some time later.
            if table.isGenerationFull, random.next() % 2 == 0 {
                _ = table.closeGeneration()
                generations.append(current)
                current = []
            }
            if table.closedGenerations.count == 3 {
                let closed = table.closedGenerations[0]
                for key in generations.removeFirst() { model[key] = nil }
                table.replaceOldestGeneration(with: closed.seal { _ in })
            }
            let keysSearched = searched.keys
            searched.searches.withUnsafeMutableBufferPointer { searches in
                table.finish(searches) { keysSearched[$0] }
            }
            ended = searched
            let keys = (0..<random.next() % 40).map { _ in Self.key(Int(random.next() % 60_000)) }
            searched = (keys, keys.map { table.search($0) })
        }
        #expect(wrong == 0)
        #expect(duplicates > 500)
        for run in table.runs { run.deallocate() }
    }

    @Test func sealedGenerationsAreFoundThroughFilterAndBlocks() {
        let pool = BlockPool()
        defer { pool.deallocate() }
        let table = ExternalIdTable(generationLimit: 30_000, pool: pool)
        defer { table.deallocate() }
        var files: [[[UInt8]]] = []
        for number in 0..<100_000 {
            table.insert(Self.key(number), Self.remembered(number))
            guard table.isGenerationFull else { continue }
            let closed = table.closeGeneration()
            #expect(table.find(Self.key(number)) == Self.remembered(number))
            var blocks: [[UInt8]] = []
            let run = closed.seal { blocks.append(Array($0)) }
            #expect(run.count == 30_000 && run.blockCount == blocks.count)
            #expect(run.storageBytes < 30_000 * 3)
            table.replaceOldestGeneration(with: run)
            files.append(blocks)
        }
        defer { for run in table.runs { run.deallocate() } }
        for generation in table.takeRetired() { generation.deallocate() }
        #expect(files.count == 3 && table.count == 10_000 && table.sealedCount == 90_000)
        var (wrong, falsePositives) = (0, 0)
        for number in 0..<200_000 {
            let key = Self.key(number)
            var found = table.find(key)
            for run in table.runs.indices where table.runs[run].mayContain(key) {
                let before = found
                for block in table.runs[run].blocks(of: key) {
                    found = found ?? files[run][block].withUnsafeBytes { SealedIdRun.find(key, inBlock: $0) }
                }
                if found == before { falsePositives += 1 }
            }
            if found != (number < 100_000 ? Self.remembered(number) : nil) { wrong += 1 }
        }
        #expect(wrong == 0)
        // One in 65,536 per run asked.
        #expect(falsePositives < 40)
    }

    @Test func blocksListTheirRecordsInOrder() {
        let table = ExternalIdTable(generationLimit: 1000)
        defer { table.deallocate() }
        for number in 0..<1000 { table.insert(Self.key(number), Self.remembered(number)) }
        let generation = table.closeGeneration()
        var records: [(ExternalIdKey, RememberedId)] = []
        let run = generation.seal { block in
            SealedIdRun.forEachRecord(inBlock: block) { records.append(($0, $1)) }
        }
        #expect(records.count == 1000)
        #expect(zip(records, records.dropFirst()).allSatisfy { $0.0.0 < $0.1.0 })
        // What a run holds makes the same run again.
        var builder = SealedIdRunBuilder(count: 1000)
        for (key, id) in records { builder.append(key, id) { _ in } }
        let again = builder.finish { _ in }
        #expect(again.encode() == run.encode())
        again.deallocate()
        run.deallocate()
    }

    @Test func frozenViewsSurviveGrowthClosingAndSealing() {
        let pool = BlockPool()
        defer { pool.deallocate() }
        let table = ExternalIdTable(generationLimit: 1000, pool: pool)
        defer { table.deallocate() }
        var number = 0
        func add(_ count: Int) {
            for _ in 0..<count {
                table.insert(Self.key(number), Self.remembered(number))
                number += 1
            }
        }
        add(1000)
        let first = table.closeGeneration()
        add(700)
        let views = table.freeze()
        #expect(views.map(\.count) == [1000, 700])
        add(300)
        _ = table.closeGeneration()
        add(50)
        table.replaceOldestGeneration(with: first.seal { _ in })
        table.replaceOldestGeneration(with: table.closedGenerations[0].seal { _ in })
        var (expected, wrong) = (0, 0)
        for view in views {
            view.forEach { key, id in
                if key != Self.key(expected) || id != Self.remembered(expected) { wrong += 1 }
                expected += 1
            }
        }
        #expect(expected == 1700 && wrong == 0)
        #expect(table.takeRetired().isEmpty)
        table.thaw(views)
        let retired = table.takeRetired()
        #expect(retired.count == 2 && table.takeRetired().isEmpty)
        for generation in retired { generation.deallocate() }
        defer { for run in table.runs { run.deallocate() } }
        #expect(table.count == 50 && table.runs.count == 2)
        let next = table.freeze()
        add(2000)
        #expect(next.map(\.count) == [50])
        table.thaw(next)
        #expect(table.find(Self.key(number - 1)) == Self.remembered(number - 1))
    }

    @Test func anotherThreadSealsWhileTheTableGrows() async {
        let pool = BlockPool()
        defer { pool.deallocate() }
        let table = ExternalIdTable(generationLimit: 20_000, pool: pool)
        defer { table.deallocate() }
        for number in 0..<20_000 { table.insert(Self.key(number), Self.remembered(number)) }
        let views = table.freeze()
        let closed = table.closeGeneration()
        async let sealed = closed.seal { _ in }
        var wrong = 0
        for number in 20_000..<40_000 {
            table.insert(Self.key(number), Self.remembered(number))
            if table.find(Self.key(number - 20_000)) != Self.remembered(number - 20_000) { wrong += 1 }
            if number == 30_000 { table.thaw(views) }
        }
        let run = await sealed
        defer { run.deallocate() }
        table.replaceOldestGeneration(with: run)
        #expect(wrong == 0)
        #expect((0..<20_000).allSatisfy { run.mayContain(Self.key($0)) })
    }

    @Test func runsCanBeMerged() {
        let table = ExternalIdTable(generationLimit: 500)
        defer { table.deallocate() }
        var records: [(ExternalIdKey, RememberedId)] = []
        for number in 0..<1000 {
            table.insert(Self.key(number), Self.remembered(number))
            if table.isGenerationFull {
                let run = table.closeGeneration().seal { block in
                    SealedIdRun.forEachRecord(inBlock: block) { records.append(($0, $1)) }
                }
                table.replaceOldestGeneration(with: run)
            }
        }
        var builder = SealedIdRunBuilder(count: 1000)
        for (key, id) in records.sorted(by: { $0.0 < $1.0 }) { builder.append(key, id) { _ in } }
        let merged = builder.finish { _ in }
        defer { merged.deallocate() }
        let parts = table.runs
        table.replaceRuns(0..<2, with: merged)
        for run in parts { run.deallocate() }
        #expect(table.runs.count == 1 && table.runs[0].count == 1000)
        #expect((0..<1000).allSatisfy { table.runs[0].mayContain(Self.key($0)) })
    }

    @Test func manyRowsAskAllFilters() {
        let table = ExternalIdTable(generationLimit: 1000)
        defer { table.deallocate() }
        for number in 0..<4000 {
            table.insert(Self.key(number), Self.remembered(number))
            if table.isGenerationFull { table.replaceOldestGeneration(with: table.closeGeneration().seal { _ in }) }
        }
        defer { for run in table.runs { run.deallocate() } }
        #expect(table.runs.count == 4)
        var hits: [Int] = []
        table.forEachPossiblySealed(in: 3990..<4060) {
            Self.key($0)
        } _: {
            hits.append($0)
        }
        #expect(hits.sorted() == Array(3990..<4000))
        #expect(table.mayBeSealed(Self.key(7)) && !table.mayBeSealed(Self.key(-7)))
    }

    @Test func whatWasRecalledIsFoundUntilItIsForgotten() {
        let table = ExternalIdTable(generationLimit: 1000)
        defer { table.deallocate() }
        let key = Self.key(1)
        table.recall(key, Self.remembered(1))
        #expect(table.find(key) == Self.remembered(1) && table.find(Self.key(2)) == nil)
        table.forgetRecalled()
        #expect(table.find(key) == nil)
    }

    @Test func closedGenerationsAreTakenOnceInOrder() {
        let table = ExternalIdTable(generationLimit: 10)
        defer { table.deallocate() }
        #expect(table.takeClosedGeneration() == nil)
        for number in 0..<30 {
            table.insert(Self.key(number), RememberedId(sequence: UInt64(number), content: 0))
            if table.isGenerationFull { _ = table.closeGeneration() }
        }
        #expect(table.takeClosedGeneration()?.sequences == 0...9)
        #expect(table.takeClosedGeneration()?.sequences == 10...19)
        let run = table.closedGenerations[0].seal { _ in }
        defer { run.deallocate() }
        table.replaceOldestGeneration(with: run)
        #expect(table.takeClosedGeneration()?.sequences == 20...29)
        #expect(table.takeClosedGeneration() == nil)
    }

    @Test func emptyRunHoldsNothing() {
        let run = SealedIdRunBuilder(count: 0).finish { _ in Issue.record("an empty run has no block") }
        defer { run.deallocate() }
        let key = ExternalIdKey(high: 1, low: 2)
        #expect(!run.mayContain(key) && run.blocks(of: key).isEmpty)
        #expect(Self.decoded(run.encode()).map { $0 == run.encode() } == true)
    }

    @Test(arguments: [1, 2, 3, 10, 63, 64, 145, 146, 147, 999, 1000, 1999, 2000, 19_999, 49_999, 70_000, 140_000])
    func filtersHoldAllTheirKeysAndFewOthers(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let keys = Set((0..<count).map { _ in ExternalIdKey(high: random.next(), low: random.next()) }).sorted()
        var builder = SealedIdRunBuilder(count: keys.count)
        for (index, key) in keys.enumerated() { builder.append(key, Self.remembered(index)) { _ in } }
        let run = builder.finish { _ in }
        defer { run.deallocate() }
        #expect(keys.allSatisfy { run.mayContain($0) })
        let strangers = (0..<200_000).filter { _ in
            run.mayContain(ExternalIdKey(high: random.next(), low: random.next()))
        }
        #expect(strangers.count < 20)
        if count > 60_000 { #expect(run.storageBytes < count * 26 / 10) }
        #expect(Self.decoded(run.encode()).map { $0 == run.encode() } == true)
    }

    @Test func keysThatCannotBeToldApartMakeTheFilterSayYes() {
        // The same lower 64 bits twice: no fingerprints solve that.
        var builder = SealedIdRunBuilder(count: 2)
        builder.append(.init(high: 1, low: 7), Self.remembered(1)) { _ in }
        builder.append(.init(high: 2, low: 7), Self.remembered(2)) { _ in }
        let run = builder.finish { _ in }
        defer { run.deallocate() }
        #expect(run.mayContain(.init(high: 1, low: 7)) && run.mayContain(.init(high: 2, low: 7)))
    }

    @Test func damagedEncodingsAreRefused() {
        var builder = SealedIdRunBuilder(count: 500)
        for number in 0..<500 {
            builder.append(.init(high: UInt64(number) << 38, low: UInt64(number)), Self.remembered(number)) { _ in }
        }
        let run = builder.finish { _ in }
        defer { run.deallocate() }
        let bytes = run.encode()
        for length in 0..<bytes.count { #expect(Self.decoded(Array(bytes[..<length])) == nil) }
        #expect(Self.decoded(bytes + [0]) == nil)
        // Whatever byte is damaged, reading ends in a run or in a refusal, never in a trap.
        for position in 0..<min(bytes.count, 100) {
            var damaged = bytes
            damaged[position] ^= 0xff
            _ = Self.decoded(damaged)
        }
    }

    private static func decoded(_ bytes: [UInt8]) -> [UInt8]? {
        guard let run = bytes.withUnsafeBytes({ SealedIdRun(decoding: $0) }) else { return nil }
        defer { run.deallocate() }
        _ = run.mayContain(.init(high: 3 << 38, low: 3))
        _ = run.blocks(of: .init(high: 3 << 38, low: 3))
        return run.encode()
    }
}
