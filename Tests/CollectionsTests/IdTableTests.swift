import GuerdonCore
import TestSupport
import Testing

struct IdTableTests {
    static let seed = BitHash.Seed(1, 2, 3, 4)

    @Test func ordinalsCountUpInOrderOfInsertion() {
        let table = IdTable(seed: Self.seed)
        defer { table.deallocate() }
        for number in 0..<200_000 {
            "m\(number)".withBytes { id in
                let hash = table.hash(id)
                if table.find(hash, id) != nil { Issue.record("\(number) is there before it came") }
                if table.insert(hash, id) != UInt32(number) { Issue.record("\(number) has another ordinal") }
            }
        }
        #expect(table.count == 200_000)
        var found = 0
        for number in 0..<200_000 {
            "m\(number)".withBytes { id in
                if table.find(table.hash(id), id) == UInt32(number) { found += 1 }
                if !table.id(UInt32(number)).elementsEqual(id) { Issue.record("\(number) reads back wrong") }
            }
        }
        #expect(found == 200_000)
        let unknown = (200_000..<250_000).filter { number in
            "m\(number)".withBytes { table.find(table.hash($0), $0) } != nil
        }
        #expect(unknown.isEmpty)
    }

    /// Ids are searched for, and found or added some turns later, as steps do it.
    @Test func searchesFindWhatWasAddedInBetween() {
        var random = SplitMix64(seed: 1)
        let table = IdTable(seed: Self.seed)
        defer { table.deallocate() }
        var model: [String: UInt32] = [:]
        var searched: (ids: [String], searches: [IdSearch]) = ([], [])
        var ended = searched
        var wrong = 0
        for _ in 0..<3_000 {
            for (row, id) in ended.ids.enumerated() {
                id.withBytes { bytes in
                    let hash = table.hash(bytes)
                    let found = table.find(hash, bytes, after: ended.searches[row])
                    if found != model[id] { wrong += 1 }
                    if found == nil { model[id] = table.insert(hash, bytes) }
                }
            }
            searched.searches.withUnsafeMutableBufferPointer { table.finish($0) }
            ended = searched
            let ids = (0..<random.next() % 40).map { _ in "m\(random.next() % 20_000)" }
            searched = (ids, ids.map { id in id.withBytes { table.search(table.hash($0)) } })
        }
        #expect(wrong == 0)
        #expect(table.count == model.count && model.count > 15_000)
    }

    @Test(arguments: 1...128)
    func idsOfEveryLengthDifferInEveryByte(length: Int) {
        let table = IdTable(seed: Self.seed)
        defer { table.deallocate() }
        var ids: [[UInt8]] = [[UInt8](repeating: 0, count: length)]
        for position in 0..<length {
            ids.append(ids[0])
            ids[position + 1][position] = 1
        }
        for (number, id) in ids.enumerated() {
            #expect(id.withUnsafeBytes { table.intern($0) } == UInt32(number))
        }
        for (number, id) in ids.enumerated() {
            #expect(id.withUnsafeBytes { table.find(table.hash($0), $0) } == UInt32(number))
            #expect(table.id(UInt32(number)).elementsEqual(id))
        }
    }

    @Test func prefixesAndTrailingZeroesAreOtherIds() {
        let table = IdTable(seed: Self.seed)
        defer { table.deallocate() }
        for length in 1...128 {
            let id = [UInt8](repeating: 0, count: length)
            #expect(id.withUnsafeBytes { table.intern($0) } == UInt32(length - 1))
        }
        #expect([].withUnsafeBytes { (id: UnsafeRawBufferPointer) in table.find(0, id) } == nil)
    }

    @Test func orderIsByBytes() {
        let table = IdTable(seed: Self.seed)
        defer { table.deallocate() }
        let ids = ["b", "a", "ab", "aB", "é", "a0"].map { text in text.withBytes { table.intern($0) } }
        let sorted = ids.sorted { table.precedes($0, $1) }.map { String(decoding: table.id($0), as: UTF8.self) }
        #expect(sorted == ["a", "a0", "aB", "ab", "b", "é"])
        #expect(!table.precedes(ids[0], ids[0]))
    }

    /// As a snapshot lists them: in one part and in several, and with a table that grows afterwards.
    @Test(arguments: [0, 1, 999, 1000, 1001, 30_000]) func appendedIdsAreFoundOnceTheyAreIndexed(count: Int) {
        let table = IdTable(seed: Self.seed)
        defer { table.deallocate() }
        for number in 0..<count { #expect("member-\(number)".withBytes { table.append($0) } == UInt32(number)) }
        #expect(table.indexAll(partLength: 1000) && table.count == count)
        for number in count..<count + 5000 {
            #expect("member-\(number)".withBytes { table.intern($0) } == UInt32(number))
        }
        for number in 0..<count + 5000 {
            #expect("member-\(number)".withBytes { table.find(table.hash($0), $0) } == UInt32(number))
        }
        #expect("nobody".withBytes { table.find(table.hash($0), $0) } == nil)
    }

    @Test(arguments: [(0, 1), (5, 999), (0, 2999), (1000, 1500)])
    func anIdThatWasAppendedTwiceIsTold(first: Int, second: Int) {
        let table = IdTable(seed: Self.seed)
        defer { table.deallocate() }
        for number in 0..<3000 { _ = "member-\(number == second ? first : number)".withBytes { table.append($0) } }
        #expect(!table.indexAll(partLength: 1000))
    }

    @Test func frozenIdsStayWhileTheTableGrows() {
        let table = IdTable(seed: Self.seed)
        defer { table.deallocate() }
        for number in 0..<10_000 { _ = "id-\(number)".withBytes { table.intern($0) } }
        let frozen = table.freeze()
        for number in 10_000..<40_000 { _ = "id-\(number)".withBytes { table.intern($0) } }
        var seen: [String] = []
        frozen.forEachId { seen.append(String(decoding: $0, as: UTF8.self)) }
        #expect(seen == (0..<10_000).map { "id-\($0)" })
        table.thaw(frozen)
    }
}

extension IdTable {
    /// The ordinal of an id, which is added if it was unknown.
    fileprivate func intern(_ id: UnsafeRawBufferPointer) -> UInt32 {
        let hash = hash(id)
        return find(hash, id) ?? insert(hash, id)
    }
}
