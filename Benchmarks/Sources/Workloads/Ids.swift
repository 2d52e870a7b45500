import GuerdonCore
import GuerdonStore

extension Workload {
    /// External ids leave memory for files, and files become one.
    static let ids = [
        Workload("ids-seal", unit: "id", operations: IdsSession.count, warmUp: 1, calls: 2) {
            try SealSession()
        },
        Workload("ids-merge", unit: "id", operations: IdsSession.count, warmUp: 1, calls: 2) {
            try MergeSession()
        },
    ]
}

/// A directory for files of ids, whose keys are as a hash makes them.
private class IdsSession {
    static let count = 131_072
    let ids: SealedIds
    private let scratch: Scratch
    private var random: UInt64 = 7
    private var sequence: UInt64 = 0
    private var table: ExternalIdTable?

    init() throws {
        scratch = try Scratch()
        ids = try SealedIds(in: scratch.dataDirectory())
    }

    deinit { table?.deallocate() }

    private func next() -> UInt64 {
        random = random &* 0x5851_f42d_4c95_7f2d &+ 0x1405_7b7e_f767_814f
        return random ^ random >> 32
    }

    /// A full generation of so many new ids, which stays until the next one is made.
    func makeGeneration(_ count: Int) -> ClosedGeneration {
        table?.deallocate()
        let table = ExternalIdTable(generationLimit: count)
        self.table = table
        for _ in 0..<count {
            sequence += 1
            table.insert(
                ExternalIdKey(high: next() >> 16, low: next()), RememberedId(sequence: sequence, content: next()))
        }
        return ClosedGeneration(workspace: 0, generation: table.closeGeneration())
    }

    func seal(_ generation: ClosedGeneration) throws -> SealedIdFile {
        try ids.seal(generation, isCancelled: { false })
    }
}

/// Sorts a generation into a file.
private final class SealSession: IdsSession, Session {
    private var generation: ClosedGeneration?

    func prepare() throws {
        try ids.removeUnused()
        generation = makeGeneration(Self.count)
    }

    func run() throws {
        guard let generation else { return expect(false, "nothing was prepared") }
        let file = try seal(generation)
        expect(file.run.count == Self.count, "\(file.run.count) ids")
    }
}

/// Merges eight files.
private final class MergeSession: IdsSession, Session {
    private var files: [SealedIdFile] = []

    override init() throws {
        try super.init()
        for _ in 0..<8 { files.append(try seal(makeGeneration(Self.count / 8))) }
    }

    func run() throws {
        let file = try ids.merge(files, isCancelled: { false }) {}
        expect(file.run.count == Self.count, "\(file.run.count) ids")
    }
}
