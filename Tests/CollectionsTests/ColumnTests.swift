import GuerdonCore
import TestSupport
import Testing

struct ColumnTests {
    @Test func grownRowsHoldTheDefault() {
        let column = Column<Int32>(default: -7)
        defer { column.deallocate() }
        column.grow(to: 5000)
        #expect(column.count == 5000)
        #expect((0..<5000).allSatisfy { column[$0] == -7 })
        column.grow(to: 10)
        #expect(column.count == 5000)
    }

    @Test func rowsKeepWhatIsWritten() {
        let column = Column<UInt64>(default: 0)
        defer { column.deallocate() }
        for row in 0..<3000 { column.append(UInt64(row) * 3) }
        column[17] += 1
        column[18] = 1
        #expect(column[17] == 52 && column[18] == 1 && column[2999] == 8997)
    }

    @Test func oddStridesFillChunks() {
        struct Wide: BitwiseCopyable { var a, b, c: UInt64 }
        let column = Column(default: Wide(a: 1, b: 2, c: 3))
        defer { column.deallocate() }
        #expect(Column<Wide>.elementsPerChunk == 128)
        for row in 0..<1000 { column.append(Wide(a: UInt64(row), b: 0, c: 9)) }
        #expect((0..<1000).allSatisfy { column[$0].a == UInt64($0) && column[$0].c == 9 })
    }

    @Test func frozenViewStaysWhileTheColumnChanges() {
        let pool = BlockPool()
        defer { pool.deallocate() }
        let column = Column<Int>(default: 5, pool: pool)
        defer { column.deallocate() }
        var random = SplitMix64(seed: 1)
        for round in 0..<20 {
            column.grow(to: column.count + random.below(2000) + 1)
            let expected = (0..<column.count).map { column[$0] }
            let frozen = column.freeze()
            for _ in 0..<random.below(4000) { column[random.below(column.count)] = random.below(1000) }
            column.grow(to: column.count + random.below(1500))
            for _ in 0..<random.below(100) { column.append(round) }
            #expect(frozen.count == expected.count)
            #expect(Self.rows(frozen) == expected)
            #expect(frozen[expected.count - 1] == expected[expected.count - 1])
            let live = (0..<column.count).map { column[$0] }
            column.thaw(frozen)
            #expect((0..<column.count).map { column[$0] } == live)
        }
    }

    @Test func rowsStayWhereTheyAreWhileFrozen() {
        let column = Column<UInt64>(default: 0)
        defer { column.deallocate() }
        column.grow(to: 512 * 64)
        let before = column.storageBytes
        for round in 1...3 as ClosedRange<UInt64> {
            let frozen = column.freeze()
            for chunk in 0..<64 { column[chunk * 512 + 7] += 1 }
            #expect((0..<64).allSatisfy { frozen[$0 * 512 + 7] == round - 1 && column[$0 * 512 + 7] == round })
            column.thaw(frozen)
        }
        #expect(column.storageBytes == before)
    }

    @Test func rowsThatStraddleLinesAreKeptWhole() {
        struct Odd: BitwiseCopyable, Equatable { var a, b, c: UInt64 }
        let column = Column(default: Odd(a: 0, b: 0, c: 0))
        defer { column.deallocate() }
        for row in 0..<2_000 { column.append(Odd(a: UInt64(row), b: 1, c: 2)) }
        let frozen = column.freeze()
        var random = SplitMix64(seed: 4)
        for _ in 0..<300 { column[random.below(2_000)] = Odd(a: 9_999_999, b: 0, c: 0) }
        #expect((0..<2_000).allSatisfy { frozen[$0] == Odd(a: UInt64($0), b: 1, c: 2) })
        #expect(Self.rows(frozen).enumerated().allSatisfy { $1 == Odd(a: UInt64($0), b: 1, c: 2) })
        column.thaw(frozen)
    }

    @Test func aTableThatIsOutgrownWhileFrozenStaysReadable() {
        let column = Column<UInt64>(default: 3)
        defer { column.deallocate() }
        column.grow(to: 1_000)
        let frozen = column.freeze()
        for round in 0..<4 {
            column.grow(to: column.count * 8)
            for row in 0..<1_000 { column[row] = UInt64(round) }
        }
        #expect(Self.rows(frozen) == [UInt64](repeating: 3, count: 1_000))
        column.thaw(frozen)
        let again = column.freeze()
        column[200_000] = 1
        #expect(again[200_000] == 3 && again[0] == 3 && again.count == 4_096_000)
        column.thaw(again)
    }

    @Test func linesGoIntoSeveralPiecesOfMemory() {
        let column = Column<UInt64>(default: 1)
        defer { column.deallocate() }
        // 1,300 chunks: two pieces of 512 chunks, and a shorter one.
        column.grow(to: 512 * 1_300)
        let frozen = column.freeze()
        for chunk in stride(from: 0, to: 1_300, by: 3) { column[chunk * 512 + chunk % 512] = 2 }
        #expect(Self.rows(frozen).allSatisfy { $0 == 1 })
        column.thaw(frozen)
        #expect((0..<1_300).allSatisfy { column[$0 * 512 + $0 % 512] == ($0 % 3 == 0 ? 2 : 1) })
    }

    @Test func emptyColumnFreezes() {
        let column = Column<UInt64>(default: 0)
        defer { column.deallocate() }
        let frozen = column.freeze()
        column.append(3)
        #expect(frozen.count == 0 && frozen.chunkCount == 0)
        column.thaw(frozen)
        #expect(column[0] == 3)
    }

    @Test func anotherThreadReadsTheFrozenView() async {
        let pool = BlockPool()
        let column = Column<UInt64>(default: 1, pool: pool)
        column.grow(to: 100_000)
        for round in 1...5 as ClosedRange<UInt64> {
            let frozen = column.freeze()
            let done = Flag()
            let sums = await withTaskGroup(of: [UInt64].self) { group in
                group.addTask {
                    var sums: [UInt64] = []
                    for _ in 0..<20 { sums.append(Self.rows(frozen).reduce(0, &+)) }
                    done.raise()
                    return sums
                }
                group.addTask {
                    var row = 0
                    var pass: UInt64 = 0
                    while !done.isRaised || pass == 0 {
                        for _ in 0..<1000 {
                            column[row] = round + 1
                            row = (row + 1) % 100_000
                            if row == 0 { pass += 1 }
                        }
                    }
                    return []
                }
                return await group.reduce([], +)
            }
            #expect(sums == Array(repeating: round * 100_000, count: 20))
            column.thaw(frozen)
        }
        column.deallocate()
        pool.deallocate()
    }

    private static func rows<Element>(_ frozen: FrozenColumn<Element>) -> [Element] {
        var rows: [Element] = []
        frozen.forEachChunk { rows.append(contentsOf: $0) }
        return rows
    }
}
