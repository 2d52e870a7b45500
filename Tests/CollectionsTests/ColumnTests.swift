import GuerdonCore
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
        let old = column.update(18) { value in
            let old = value
            value = 1
            return old
        }
        #expect(old == 54)
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

    @Test func bulkWritesCrossChunks() {
        let column = Column<UInt16>(default: 0)
        defer { column.deallocate() }
        column.grow(to: 9000)
        let values = (0..<6000).map { UInt16($0) }
        values.withUnsafeBufferPointer { column.write($0, at: 1500) }
        #expect(column[1499] == 0 && column[1500] == 0 && column[1501] == 1 && column[7499] == 5999)
        #expect(column[7500] == 0)
    }

    @Test func frozenViewStaysWhileTheColumnChanges() {
        let pool = ChunkPool()
        defer { pool.deallocate() }
        let column = Column<Int>(default: 5, pool: pool)
        defer { column.deallocate() }
        var random = Generator(1)
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
            #expect(!column.isFrozen)
            #expect((0..<column.count).map { column[$0] } == live)
        }
    }

    @Test func thawedChunksAreUsedAgain() {
        let pool = ChunkPool()
        defer { pool.deallocate() }
        let column = Column<UInt64>(default: 0, pool: pool)
        defer { column.deallocate() }
        column.grow(to: 512 * 64)
        for _ in 0..<3 {
            let frozen = column.freeze()
            for chunk in 0..<64 { column[chunk * 512] += 1 }
            column.thaw(frozen)
        }
        #expect(pool.recycledCount == 64)
        #expect(column[512] == 3)
    }

    @Test func reservedChunksNeedNoNewMemory() {
        let pool = ChunkPool()
        defer { pool.deallocate() }
        pool.reserve(100)
        let reserved = pool.reservedBytes
        let column = Column<UInt64>(default: 0, pool: pool)
        defer { column.deallocate() }
        column.grow(to: 512 * 100)
        #expect(pool.recycledCount == 0 && pool.reservedBytes == reserved)
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
        let pool = ChunkPool()
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
