import TestSupport
import Testing

@testable import GuerdonCore

/// The table under the ids against a dictionary of lists.
struct TagIndexTests {
    /// What hashes of a run look like: spread, as keyed hashes are, or with few tags that many values share.
    enum Hashes: CaseIterable {
        case spread
        case fewTags
        case extremes
    }

    @Test(arguments: Hashes.allCases, [1, 9, 100, 5_000, 60_000])
    func findsWhatWasInserted(hashes: Hashes, count: Int) {
        check(hashes, count, TagIndex())
    }

    /// Half as many as come, so that segments must grow and split as well.
    @Test(arguments: Hashes.allCases, [1, 100, 5_000, 60_000])
    func findsWhatWasInsertedIntoReservedRoom(hashes: Hashes, count: Int) {
        for reserved in [count, count / 2] {
            let index = TagIndex()
            index.reserve(reserved, bytesEach: 11)
            // Segments are made when they are needed, and hardly any of them twice.
            check(hashes, count, index) { if reserved == count, hashes == .spread { #expect($0 <= count * 14 + 2048) } }
        }
    }

    private func check(_ hashes: Hashes, _ count: Int, _ index: TagIndex, _ bytes: (Int) -> Void = { _ in }) {
        var random = SplitMix64(seed: UInt64(count))
        defer { index.deallocate() }
        var model: [UInt64: [UInt32]] = [:]
        var hashesToCome: [UInt64] = []
        for number in 0..<count {
            let hash = next(hashes, &random, number)
            hashesToCome.append(hash)
            if hashesToCome.count == 50 || number == count - 1 {
                insert(hashesToCome, from: UInt32(number + 1 - hashesToCome.count), index, &model)
                hashesToCome = []
            }
        }
        for (tag, values) in model {
            var seen: [UInt32] = []
            #expect(
                index.find(tag << 32) {
                    seen.append($0)
                    return false
                } == nil)
            #expect(seen.sorted() == values)
            if let value = values.last { #expect(index.find(tag << 32) { $0 == value } == value) }
        }
        for _ in 0..<1000 {
            let hash = random.next()
            if model[hash >> 32] == nil { #expect(index.find(hash) { _ in true } == nil) }
        }
        bytes(index.storageBytes)
    }

    /// Searches for some hashes side by side and adds values for them.
    private func insert(_ hashes: [UInt64], from first: UInt32, _ index: TagIndex, _ model: inout [UInt64: [UInt32]]) {
        var searches = hashes.map { index.search($0) }
        searches.withUnsafeMutableBufferPointer { index.finish($0) }
        let known = hashes.map { model[$0 >> 32] ?? [] }
        for (row, hash) in hashes.enumerated() {
            let isRight = searches[row].candidate.map(known[row].contains) ?? known[row].isEmpty
            if !isRight { Issue.record("the search for \(hash) ended wrongly") }
            let value = first + UInt32(row)
            if searches[row].version == index.version {
                index.insert(hash, value, after: searches[row])
            } else {
                index.insert(hash, value)
            }
            model[hash >> 32, default: []].append(value)
        }
    }

    @Test(arguments: Hashes.allCases, [0, 1, 9, 1024, 5_000, 60_000])
    func isReadInTheOrderOfTags(hashes: Hashes, count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let index = TagIndex()
        defer { index.deallocate() }
        var model: [UInt64] = []
        for number in 0..<count {
            let hash = next(hashes, &random, number)
            index.insert(hash, UInt32(number))
            model.append((hash >> 32) << 32 | UInt64(number))
        }
        var read: [UInt64] = []
        index.forEachInRuns { run in
            #expect(run.count <= TagIndex.runLength)
            for (tag, value) in run { read.append(UInt64(tag) << 32 | UInt64(value)) }
        }
        #expect(read == model.sorted())
    }

    @Test func theLargestValueIsKept() {
        let index = TagIndex()
        defer { index.deallocate() }
        for hash in [0, UInt64.max] {
            index.insert(hash, TagIndex.valueLimit)
            #expect(index.find(hash) { _ in true } == TagIndex.valueLimit)
        }
    }

    private func next(_ hashes: Hashes, _ random: inout SplitMix64, _ number: Int) -> UInt64 {
        switch hashes {
        case .spread: random.next()
        // Ten values a tag: more than a bucket has slots.
        case .fewTags: mixed(UInt64(number / 10))
        case .extremes: number % 1000 == 0 ? [0, UInt64.max][number / 1000 & 1] : random.next()
        }
    }

    private func mixed(_ number: UInt64) -> UInt64 {
        var random = SplitMix64(seed: number)
        return random.next()
    }
}
