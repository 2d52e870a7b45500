import CIntrinsics
import TestSupport
import Testing

@testable import GuerdonCore

/// Filters of sealed runs, and how runs are made and merged.
struct SealedRunTests {
    private struct Record: Equatable {
        let key: ExternalIdKey
        let id: RememberedId
    }

    private static func key(_ random: inout SplitMix64) -> ExternalIdKey {
        ExternalIdKey(high: random.next(), low: random.next())
    }

    private static func records(_ count: Int, seed: UInt64) -> [Record] {
        var random = SplitMix64(seed: seed)
        return (0..<count).map { Record(key: key(&random), id: ExternalIdTableTests.remembered($0)) }
            .sorted { $0.key < $1.key }
    }

    /// The blocks of a run, and what stays in memory, which the caller frees.
    private static func build(_ records: [Record]) -> (blocks: [[UInt8]], run: SealedIdRun) {
        var blocks: [[UInt8]] = []
        var builder = SealedIdRunBuilder(count: records.count)
        for record in records { builder.append(record.key, record.id) { blocks.append(Array($0)) } }
        let run = builder.finish { blocks.append(Array($0)) }
        return (blocks, run)
    }

    private static func records(in blocks: [[UInt8]]) -> [Record] {
        var all: [Record] = []
        for block in blocks {
            block.withUnsafeBytes { bytes in
                SealedIdRun.forEachRecord(inBlock: bytes) { all.append(Record(key: $0, id: $1)) }
            }
        }
        return all
    }

    /// Fills one line and gives it to `body` with the fingerprints that found no room.
    private static func withLine(
        _ fingerprints: [(bucket: UInt64, UInt16)], _ body: (UnsafeRawPointer, [(bucket: UInt64, UInt16)]) -> Void
    ) {
        let lines = IdFilterLines(count: 1)
        var writer = IdFilterLineWriter(lines.lines.start, count: 1)
        let displaced = fingerprints.filter { !writer.add(place: $0.bucket, $0.1) }
        writer.finish()
        body(lines.lines.start, displaced)
        withExtendedLifetime(lines) {}
    }

    @Test(arguments: [0, 1, 5, 27, 28, 29, 40]) func aLineKnowsWhatItHoldsAndWhatItCannotKnow(count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        // Few fingerprints, so that most are in several buckets.
        let all = (0..<count).map { _ in (bucket: random.next() % 32, UInt16(random.next() % 8)) }
            .sorted { $0.bucket < $1.bucket }
        Self.withLine(all) { line, displaced in
            #expect(displaced.count == max(0, count - 28))
            let held = all.prefix(28)
            for bucket in 0..<32 as Range<UInt64> {
                for fingerprint in 0..<9 as Range<UInt16> {
                    let answer = IdFilterLine.ask(line, bucket: bucket, fingerprint)
                    #expect(answer.isProbable == held.contains { $0 == (bucket, fingerprint) })
                    #expect(answer.isElsewhere == (count > 28 && bucket >= held[27].bucket))
                }
            }
        }
    }

    @Test func lineOfZerosAndOnesIsAskedWithoutHarm() {
        for byte in [0, 0x55, 0xff] as [UInt8] {
            let bytes = [UInt8](repeating: byte, count: 64)
            let lines = bytes.withUnsafeBytes { IdFilterLines($0) }
            for bucket in 0..<32 as Range<UInt64> {
                _ = IdFilterLine.ask(lines.lines.start, bucket: bucket, UInt16(byte) << 8 | UInt16(byte))
            }
            withExtendedLifetime(lines) {}
        }
    }

    @Test func wordsOfALineAreMatchedOneByOne() {
        let lines = IdFilterLines(count: 1)
        let words = lines.lines.start.bindMemory(to: UInt16.self, capacity: 32)
        for index in 0..<32 { words[index] = UInt16(index % 5) &* 0x4001 }
        for value in 0..<5 {
            let expected = (0..<28).reduce(0 as UInt32) { $0 | ($1 % 5 == value ? 1 << UInt32($1) : 0) }
            #expect(cintrinsics_match_28_words(words, UInt16(value) &* 0x4001) == expected)
        }
        #expect(cintrinsics_match_28_words(words, 0x1234) == 0)
        withExtendedLifetime(lines) {}
    }

    @Test func theLeastOfWideKeysIsTheFirstOfEqualOnes() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<2000 {
            let count = 1 + random.below(9)
            let highs = (0..<count).map { _ in random.next() % 3 &+ (UInt64.max - 2) }
            let lows = (0..<count).map { _ in random.next() % 3 &+ (UInt64.max - 2) }
            let expected = (0..<count).min { (highs[$0], lows[$0], $0) < (highs[$1], lows[$1], $1) }
            #expect(cintrinsics_least_wide(highs, lows, count) == expected)
        }
    }

    /// Keys that crowd a few lines need many spare ones, in several levels.
    @Test(arguments: [(100_000, 50), (20_000, 40), (3000, 47)]) func crowdedKeysAreHeld(count: Int, shift: UInt64) {
        var random = SplitMix64(seed: shift)
        let keys = Set((0..<count).map { _ in ExternalIdKey(high: random.next() >> shift, low: random.next()) })
            .sorted()
        let (_, run) = Self.build(keys.map { Record(key: $0, id: RememberedId(sequence: 1, content: 2)) })
        defer { run.deallocate() }
        #expect(keys.allSatisfy { run.mayContain($0) })
        let strangers = (0..<100_000).filter { _ in
            run.mayContain(ExternalIdKey(high: random.next() >> shift, low: random.next()))
        }
        // In one bucket there are 28 fingerprints where one is usual.
        #expect(strangers.count < 120)
    }

    @Test func tooManyKeysThatAreAlikeMakeTheFilterSayYes() {
        let records = (0..<5000 as Range<UInt64>).map { number in
            Record(key: ExternalIdKey(high: number, low: 7), id: RememberedId(sequence: number, content: 0))
        }
        let (blocks, run) = Self.build(records)
        defer { run.deallocate() }
        #expect(Self.records(in: blocks) == records)
        #expect(records.allSatisfy { run.mayContain($0.key) })
        #expect(run.mayContain(ExternalIdKey(high: 70_000, low: 7)))
        #expect(!run.mayContain(ExternalIdKey(high: .max, low: 7)))
    }

    @Test func aFilterIsAFunctionOfItsKeys() {
        let records = Self.records(10_000, seed: 9)
        let (first, second) = (Self.build(records), Self.build(records))
        defer {
            first.run.deallocate()
            second.run.deallocate()
        }
        #expect(first.run.encode() == second.run.encode() && first.blocks == second.blocks)
    }

    /// The index of a generation is in order of 32 bits alone.
    @Test(arguments: [1, 2, 4]) func idsWithEqualLeadingBitsAreSealedInOrder(alike: Int) {
        let table = ExternalIdTable(generationLimit: 1_000_000)
        defer { table.deallocate() }
        var random = SplitMix64(seed: UInt64(alike))
        var records: [Record] = []
        for _ in 0..<12_000 / alike {
            let tag = (random.next() >> 32) << 16
            for _ in 0..<alike {
                records.append(
                    Record(
                        key: ExternalIdKey(high: tag | random.next() & 0xffff, low: random.next()),
                        id: ExternalIdTableTests.remembered(records.count)))
            }
        }
        records.shuffle(using: &random)
        for record in records { table.insert(record.key, record.id) }
        var blocks: [[UInt8]] = []
        let run = table.closeGeneration().seal { blocks.append(Array($0)) }
        defer { run.deallocate() }
        #expect(Self.records(in: blocks) == records.sorted { $0.key < $1.key })
        #expect(records.allSatisfy { run.mayContain($0.key) })
    }

    /// Merges runs given as blocks; `nil` when that is refused.
    private static func merge(_ runs: [[[UInt8]]], count: Int) -> (blocks: [[UInt8]], run: SealedIdRun)? {
        let merge = SealedIdMerge(sources: runs.count, count: count)
        var (next, blocks) = (Array(repeating: 0, count: runs.count), [[UInt8]]())
        while let source = merge.advance({ blocks.append(Array($0)) }) {
            let isGood =
                if next[source] < runs[source].count {
                    runs[source][next[source]].withUnsafeBytes { merge.refill(source, with: $0) }
                } else {
                    merge.refill(source, with: nil)
                }
            if !isGood { return nil }
            next[source] += 1
        }
        return merge.finish { blocks.append(Array($0)) }.map { (blocks, $0) }
    }

    @Test(arguments: [[1], [0, 0], [146, 146], [1000, 0, 1], [5000, 300, 2000, 147, 1, 146, 9000, 291]])
    func mergedRunsAreTheRunOfAllIds(counts: [Int]) throws {
        let all = Self.records(counts.reduce(0, +), seed: 4)
        var random = SplitMix64(seed: 8)
        var rest = all.shuffled(using: &random)
        var runs: [[[UInt8]]] = []
        for count in counts {
            let (blocks, run) = Self.build(rest.prefix(count).sorted { $0.key < $1.key })
            run.deallocate()
            runs.append(blocks)
            rest.removeFirst(count)
        }
        let merged = try #require(Self.merge(runs, count: all.count))
        let expected = Self.build(all)
        defer {
            merged.run.deallocate()
            expected.run.deallocate()
        }
        #expect(merged.blocks == expected.blocks && merged.run.encode() == expected.run.encode())
    }

    @Test func mergingRefusesWhatCannotBeRuns() {
        let all = Self.records(900, seed: 5)
        let (blocks, run) = Self.build(all)
        run.deallocate()
        let (others, other) = Self.build(Self.records(500, seed: 6))
        other.deallocate()
        func isRefused(_ runs: [[[UInt8]]], _ count: Int) -> Bool {
            guard let merged = Self.merge(runs, count: count) else { return true }
            merged.run.deallocate()
            return false
        }
        #expect(!isRefused([blocks, others], 1400))
        #expect(isRefused([blocks, others], 1399), "more than announced")
        #expect(isRefused([blocks, others], 1401), "fewer than announced")
        #expect(isRefused([blocks, blocks], 1800), "every id twice")
        #expect(isRefused([[blocks[1], blocks[0]] + blocks[2...], others], 1400), "blocks out of order")
        var unordered = blocks
        for byte in 0..<28 { unordered[2].swapAt(28 * 10 + byte, 28 * 11 + byte) }
        #expect(isRefused([unordered, others], 1400), "records out of order")
    }
}
