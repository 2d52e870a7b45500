import Glibc
import GuerdonCore
import TestSupport
import Testing

@testable import GuerdonStore

/// External ids in files: what is looked up, what damage does, and which files stay.
struct SealedIdTests {
    /// A full generation of a table that holds so many ids of consecutive numbers.
    static func generation(_ numbers: Range<Int>, in table: ExternalIdTable) -> ClosedGeneration {
        for number in numbers { table.insert(key(number), id(number)) }
        _ = table.closeGeneration()
        return ClosedGeneration(workspace: 0, generation: table.takeClosedGeneration()!)
    }

    static func key(_ number: Int) -> ExternalIdKey {
        var random = SplitMix64(seed: UInt64(number))
        return ExternalIdKey(high: random.next(), low: random.next())
    }

    static func id(_ number: Int) -> RememberedId {
        RememberedId(sequence: UInt64(number + 1), content: UInt64(number) &* 77)
    }

    /// A ledger with one file of ids a range.
    private struct Fixture {
        let scratch = Scratch()
        let directory: DataDirectory
        let ids: SealedIds
        let table = ExternalIdTable(generationLimit: 1_000_000)

        init(_ ranges: [Range<Int>], identity: UInt64 = 1) throws {
            directory = try DataDirectory.open(at: scratch.ledger(identity: identity), .readWrite)
            ids = try SealedIds(in: directory)
            for range in ranges {
                ids.add(try ids.seal(SealedIdTests.generation(range, in: table), isCancelled: { false }))
            }
        }

        var names: [String] { Scratch.names(directory.path + "/ids") }

        func find(_ number: Int) throws -> RememberedId? {
            var questions = [SealedIdQuestion(workspace: 0, key: SealedIdTests.key(number))]
            try ids.answer(&questions)
            return questions[0].answer
        }
    }

    static func named(_ file: SealedIdFile) -> NamedRun { NamedRun(workspace: file.workspace, run: file.name) }

    @Test func sealedIdsAreFoundAndOthersAreNot() throws {
        let fixture = try Fixture([0..<1000, 1000..<1146, 1146..<1147])
        defer { fixture.table.deallocate() }
        var questions = (0..<3000).reversed().map { SealedIdQuestion(workspace: 0, key: Self.key($0)) }
        questions += (0..<10).map { SealedIdQuestion(workspace: 3, key: Self.key($0)) }
        try fixture.ids.answer(&questions)
        let expected =
            (0..<3000).reversed().map { $0 < 1147 ? Self.id($0) : nil } + [RememberedId?](repeating: nil, count: 10)
        #expect(questions.map(\.answer) == expected)
        for file in fixture.ids.allFiles { try file.verify() }
        #expect(fixture.ids.allFiles.map(\.run.count) == [1000, 146, 1])
        #expect(fixture.names.count == 3)
    }

    @Test func aFileOpenedAgainHoldsTheSame() throws {
        let fixture = try Fixture([0..<70_000])
        defer { fixture.table.deallocate() }
        let first = try #require(fixture.ids.allFiles.first)
        let again = try SealedIdFile(Self.named(first), in: fixture.directory)
        #expect(again.name == first.name && again.digest == first.digest && again.byteCount == first.byteCount)
        #expect(again.run.encode() == first.run.encode())
        var seen: [RememberedId] = []
        try again.verify { seen.append($1) }
        #expect(Set(seen) == Set((0..<70_000).map { Self.id($0) }) && seen.count == 70_000)
        #expect(again.name.lastSequence == 70_000)
        // What stays in memory.
        #expect(again.run.storageBytes < 70_000 * 3)
    }

    @Test func mergedFilesHoldTheIdsOfAll() throws {
        let fixture = try Fixture([0..<500, 500..<9500, 9500..<9501])
        defer { fixture.table.deallocate() }
        let parts = fixture.ids.allFiles
        var pauses = 0
        let merged = try fixture.ids.merge(parts, isCancelled: { false }) { pauses += 1 }
        #expect(fixture.ids.replace(parts, with: merged) == 0..<3)
        #expect(fixture.ids.allFiles.map(\.run.count) == [9501])
        var wrong = 0
        for number in 0..<9600 where try fixture.find(number) != (number < 9501 ? Self.id(number) : nil) { wrong += 1 }
        #expect(wrong == 0)
        try merged.verify()
        #expect(merged.digest == parts.reduce(0) { $0 &+ $1.digest })
        #expect(fixture.names.count == 4)
        try fixture.ids.removeUnused()
        #expect(fixture.names == ["00000000000000000004.ids"])
        _ = pauses
    }

    @Test func filesWithTheSameIdsAreNotMerged() throws {
        let fixture = try Fixture([0..<500, 500..<900, 400..<401])
        defer { fixture.table.deallocate() }
        do throws(StoreError) {
            _ = try fixture.ids.merge(fixture.ids.allFiles, isCancelled: { false }) {}
            Issue.record("an id is there twice")
        } catch { #expect(error.code == .idsDamaged && error.file != nil) }
        #expect(fixture.names.count == 3)
    }

    @Test func aFileThatASnapshotNamesStays() throws {
        let fixture = try Fixture([0..<10, 10..<20, 20..<30])
        defer { fixture.table.deallocate() }
        let files = fixture.ids.allFiles
        let merged = try fixture.ids.merge(files, isCancelled: { false }) {}
        _ = fixture.ids.replace(files, with: merged)
        try Self.snapshot(naming: Array(files[0...0]), sequence: 5, in: fixture.directory)
        try fixture.ids.removeUnused { [2] }
        #expect(fixture.names.map { $0.prefix(20).suffix(1) } == ["1", "2", "4"])
        try fixture.ids.removeUnused()
        #expect(fixture.names.map { $0.prefix(20).suffix(1) } == ["1", "4"])
        #expect(try Snapshots.sealedRuns(in: fixture.directory) == [Self.named(files[0])])
        // Numbers begin behind all that somebody knows.
        #expect(
            try SealedIds(in: fixture.directory).seal(
                Self.generation(90..<95, in: fixture.table), isCancelled: { false }
            ).name.number == 5)
    }

    static func snapshot(naming files: [SealedIdFile], sequence: UInt64, in directory: DataDirectory) throws {
        let world = World(log: NoLog())
        for file in files { world.addSealed(file.run, named: file.name, in: file.workspace) }
        let image = world.image()
        defer { world.release(image) }
        let writer = try SnapshotWriter(in: directory, sequence: sequence, chain: 0, time: 0)
        _ = try image.write(to: writer)
        try writer.finish()
    }

    /// What opening a file and reading all of it says of `bytes` in its place.
    private static func expectRefusal(_ bytes: [UInt8], of named: NamedRun, in directory: DataDirectory, _ what: String)
        throws
    {
        let path = SealedIds.path(named.run.number, in: directory)
        try overwrite(path, bytes)
        do throws(StoreError) {
            try SealedIdFile(named, in: directory).verify()
            Issue.record("accepted: \(what)")
        } catch {
            #expect(error.file == path && error.offset != nil, "\(what): \(error)")
            #expect([.idsDamaged, .unsupportedVersion, .foreignFile].contains(error.code), "\(what): \(error)")
        }
    }

    @Test func everyFlippedByteAndEveryTruncationIsRefused() throws {
        let fixture = try Fixture([0..<200])
        defer { fixture.table.deallocate() }
        let file = try #require(fixture.ids.allFiles.first)
        let whole = try contents(file.path)
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= UInt8(1 << (place % 8))
            try Self.expectRefusal(bytes, of: Self.named(file), in: fixture.directory, "byte \(place) flipped")
        }
        for length in stride(from: 0, to: whole.count, by: 7) {
            try Self.expectRefusal(
                Array(whole[..<length]), of: Self.named(file), in: fixture.directory, "cut to \(length) bytes")
        }
        try Self.expectRefusal(whole + [0], of: Self.named(file), in: fixture.directory, "a byte more")
        try overwrite(file.path, whole)
        try SealedIdFile(Self.named(file), in: fixture.directory).verify()
    }

    @Test func lookingUpInADamagedBlockIsAnErrorWithFileAndOffset() throws {
        let fixture = try Fixture([0..<1000])
        defer { fixture.table.deallocate() }
        let file = try #require(fixture.ids.allFiles.first)
        var bytes = try contents(file.path)
        for block in 1..<7 { bytes[4096 * block + 100] ^= 1 }
        try overwrite(file.path, bytes)
        let again = try SealedIdFile(Self.named(file), in: fixture.directory)
        var errors: [StoreError] = []
        for number in 0..<1000 {
            do throws(StoreError) { #expect(try again.find(Self.key(number)) == Self.id(number)) } catch {
                errors.append(error)
            }
        }
        #expect(errors.count > 700 && errors.count < 1000)
        #expect(errors.allSatisfy { $0.code == .idsDamaged && $0.file == file.path && $0.offset! % 4096 == 0 })
        // Merging does not copy damage.
        #expect(throws: StoreError.self) { try fixture.ids.merge([again], isCancelled: { false }) {} }
        #expect(fixture.names == ["00000000000000000001.ids"])
    }

    @Test func blocksOfAnotherPlaceOrFileAreDamage() throws {
        let fixture = try Fixture([0..<400, 400..<800])
        defer { fixture.table.deallocate() }
        let files = fixture.ids.allFiles
        let (first, second) = (try contents(files[0].path), try contents(files[1].path))
        var swapped = first
        swapped.replaceSubrange(4096..<8192, with: first[8192..<12288])
        try Self.expectRefusal(swapped, of: Self.named(files[0]), in: fixture.directory, "another block")
        swapped.replaceSubrange(4096..<8192, with: second[4096..<8192])
        try Self.expectRefusal(swapped, of: Self.named(files[0]), in: fixture.directory, "a block of another file")
        try Self.expectRefusal(second, of: Self.named(files[0]), in: fixture.directory, "another file")
    }

    @Test func aMissingFileIsToldApart() throws {
        let fixture = try Fixture([0..<10])
        defer { fixture.table.deallocate() }
        let file = try #require(fixture.ids.allFiles.first)
        unlink(file.path)
        do throws(StoreError) {
            _ = try fixture.ids.open([Self.named(file)])
            Issue.record("opened")
        } catch {
            #expect(error.code == .idsMissing && error.file == file.path)
        }
    }

    @Test func aFileOfAnotherLedgerOrSeedIsRefused() throws {
        let (fixture, other) = (try Fixture([0..<10]), try Fixture([0..<10], identity: 2))
        defer {
            fixture.table.deallocate()
            other.table.deallocate()
        }
        let (file, foreign) = (fixture.ids.allFiles[0], other.ids.allFiles[0])
        try overwrite(file.path, contents(foreign.path))
        for named in [file, foreign].map(Self.named) {
            do throws(StoreError) {
                _ = try fixture.ids.open([named])
                Issue.record("opened")
            } catch { #expect(error.code == .foreignFile && error.offset == 16) }
        }
        // Not taken for damage: it stays where it is.
        #expect(fixture.names == ["00000000000000000001.ids"])
    }

    @Test func damageFoundWhileOpeningIsPutAside() throws {
        let fixture = try Fixture([0..<10])
        defer { fixture.table.deallocate() }
        let file = fixture.ids.allFiles[0]
        var bytes = try contents(file.path)
        bytes[20] ^= 1
        try overwrite(file.path, bytes)
        #expect(throws: StoreError.self) { try fixture.ids.open([Self.named(file)]) }
        #expect(fixture.names == ["00000000000000000001.ids.damaged"])
    }

    @Test func whatFailsOrIsCalledOffLeavesNoFile() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        for operation in [FaultPlan.Operation.open, .write, .sync, .rename] {
            for nth in 1...4 {
                let faults = FaultPlan()
                let directory = try DataDirectory.open(at: path, .readWrite, faults: faults)
                let ids = try SealedIds(in: directory)
                let table = ExternalIdTable(generationLimit: 1_000_000)
                defer { table.deallocate() }
                faults.fail(operation, nth: nth, errorNumber: ENOSPC)
                do throws(StoreError) {
                    _ = try ids.seal(Self.generation(0..<300, in: table), isCancelled: { false })
                    #expect(nth > 1)
                } catch { #expect(error.errorNumber == ENOSPC || error.code == .syncFailed) }
                faults.heal()
                // A file whose directory was not synced may be there; nobody counts on it.
                try SealedIds(in: directory).removeUnused()
                #expect(Scratch.names(path + "/ids").isEmpty)
            }
        }
        let directory = try DataDirectory.open(at: path, .readWrite)
        let table = ExternalIdTable(generationLimit: 1_000_000)
        defer { table.deallocate() }
        let ids = try SealedIds(in: directory)
        do throws(StoreError) {
            _ = try ids.seal(Self.generation(0..<300, in: table), isCancelled: { true })
            Issue.record("not called off")
        } catch { #expect(error.code == .cancelled) }
        #expect(Scratch.names(path + "/ids").isEmpty)
    }
}
