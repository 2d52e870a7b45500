import Glibc
public import GuerdonCore
import Synchronization

/// The files of sealed ids of a ledger: those that the state counts on now, and what else lies beside them.
///
/// One owner, between whose batches files are added and replaced; any thread may ask for ids meanwhile.
public final class SealedIds: Sendable {
    private static let suffix = ".ids"
    private static let damagedSuffix = ".damaged"

    private struct State {
        /// By workspace, oldest first.
        var files: [[SealedIdFile]] = []
        var nextNumber: UInt64 = 1
        /// Numbers of files that are finished or being written, and in `files` not yet.
        var unborn: Set<UInt64> = []
    }
    private let directory: DataDirectory
    private let state = Mutex(State())

    static func path(_ number: UInt64, in directory: DataDirectory) -> String {
        directory.idsPath + "/" + decimalName(number) + suffix
    }

    /// A set without files.
    ///
    /// Numbers begin behind all that lie in the directory or that a snapshot names, so that a name means one file for ever.
    public init(in directory: DataDirectory) throws(StoreError) {
        self.directory = directory
        var highest: UInt64 = 0
        for name in try directory.system.list(directory.idsPath) ?? [] {
            highest = max(highest, UInt64(name.prefix(20)) ?? 0)
        }
        for run in try Snapshots.sealedRuns(in: directory) { highest = max(highest, run.run.number) }
        let next = highest + 1
        state.withLock { $0.nextNumber = next }
    }

    /// The files of a workspace, oldest first.
    public func files(of workspace: Int) -> [SealedIdFile] {
        state.withLock { $0.files.indices.contains(workspace) ? $0.files[workspace] : [] }
    }

    /// All files.
    public var allFiles: [SealedIdFile] { state.withLock { $0.files.flatMap { $0 } } }

    /// Adds a file behind the others of its workspace.
    public func add(_ file: SealedIdFile) {
        state.withLock { state in
            while state.files.count <= file.workspace { state.files.append([]) }
            state.files[file.workspace].append(file)
            state.unborn.remove(file.name.number)
        }
    }

    /// Replaces files of one workspace, which stand side by side, by the one that was made of them.
    ///
    /// - Returns: where they stood.
    public func replace(_ merged: [SealedIdFile], with file: SealedIdFile) -> Range<Int> {
        state.withLock { state in
            guard let first = state.files[file.workspace].firstIndex(where: { $0 === merged[0] }) else {
                preconditionFailure("files of another set")
            }
            let range = first..<first + merged.count
            precondition(state.files[file.workspace][range].elementsEqual(merged, by: ===))
            state.files[file.workspace].replaceSubrange(range, with: [file])
            state.unborn.remove(file.name.number)
            return range
        }
    }

    /// Opens the files that a snapshot names, in its order.
    ///
    /// In a read-write opening a damaged one is renamed and stays for inspection.
    /// - Throws: what is wrong with the first that cannot be used.
    public func open(_ runs: [NamedRun]) throws(StoreError) -> [SealedIdFile] {
        var opened: [SealedIdFile] = []
        for run in runs {
            do throws(StoreError) { opened.append(try SealedIdFile(run, in: directory)) } catch {
                if error.code == .idsDamaged, directory.access == .readWrite {
                    let path = SealedIds.path(run.run.number, in: directory)
                    try directory.system.rename(path, to: path + Self.damagedSuffix)
                    try directory.system.syncDirectory(directory.idsPath)
                }
                throw error
            }
        }
        return opened
    }

    /// Answers what may be in files: asks the filters again, has the kernel fetch all blocks, and reads them.
    ///
    /// - Throws: what the disk throws, and `ids_damaged`. Both are the end: without the answer nothing can be applied.
    public func answer(_ questions: inout [SealedIdQuestion]) throws(StoreError) {
        struct Place {
            var question: Int
            var file: SealedIdFile
            var block: Int
        }
        var places: [Place] = []
        let files = state.withLock { $0.files }
        for (number, question) in questions.enumerated() where files.indices.contains(question.workspace) {
            for file in files[question.workspace] where file.run.mayContain(question.key) {
                for block in file.run.blocks(of: question.key) {
                    places.append(Place(question: number, file: file, block: block))
                }
            }
        }
        if places.count > 1 {
            places.sort { ($0.file.name.number, $0.block) < ($1.file.name.number, $1.block) }
            for place in places { place.file.willNeed(place.block) }
        }
        for place in places where questions[place.question].answer == nil {
            questions[place.question].answer = try place.file.find(questions[place.question].key, inBlock: place.block)
        }
    }

    /// Writes a generation of a workspace to a file, on any one thread.
    ///
    /// - Parameter isCancelled: asked now and then whether to give up.
    /// - Throws: `cancelled`, or what the disk throws; there is no file then.
    public func seal(
        _ closed: ClosedGeneration, isCancelled: @escaping () -> Bool
    ) throws(StoreError) -> SealedIdFile {
        try make(in: closed.workspace, isCancelled) { writer throws(StoreError) in
            closed.generation.seal { writer.add(block: $0) }
        }
    }

    /// Writes the ids of several files to one, on the thread that seals.
    ///
    /// - Parameter pause: called now and then; merging may take long.
    /// - Throws: as ``seal(_:isCancelled:)``, and `ids_damaged`.
    public func merge(
        _ files: [SealedIdFile], isCancelled: @escaping () -> Bool, pause: () -> Void
    ) throws(StoreError) -> SealedIdFile {
        try make(in: files[0].workspace, isCancelled) { writer throws(StoreError) in
            try SealedIdMerger(files).merge(into: writer, pause: pause)
        }
    }

    private func make(
        in workspace: Int, _ isCancelled: @escaping () -> Bool,
        _ body: (SealedIdWriter) throws(StoreError) -> SealedIdRun
    ) throws(StoreError) -> SealedIdFile {
        let number = state.withLock { state in
            defer { state.nextNumber += 1 }
            state.unborn.insert(state.nextNumber)
            return state.nextNumber
        }
        do throws(StoreError) {
            let writer = try SealedIdWriter(number, workspace: workspace, in: directory, isCancelled: isCancelled)
            return try writer.finish(body(writer))
        } catch {
            state.withLock { _ = $0.unborn.remove(number) }
            throw error
        }
    }

    /// Removes files that neither the state nor a snapshot counts on.
    ///
    /// - Parameters:
    ///   - kept: numbers of files that a snapshot which is being written counts on; asked for at the right time.
    ///   - isHurried: whether to lose no time with going gently about it.
    public func removeUnused(
        keeping kept: () -> [UInt64] = { [] }, isHurried: () -> Bool = { true }
    ) throws(StoreError) {
        // In this order: a file that leaves the state meanwhile was in use, or a snapshot that is being written holds it, or
        // that snapshot is there.
        let names = try directory.system.list(directory.idsPath) ?? []
        var used = state.withLock { state in state.unborn.union(state.files.joined().map(\.name.number)) }
        used.formUnion(kept())
        used.formUnion(try Snapshots.sealedRuns(in: directory).map(\.run.number))
        var isChanged = false
        for name in names {
            guard let number = number(inName: name, suffix: Self.suffix), !used.contains(number) else { continue }
            try directory.system.removeGradually(directory.idsPath + "/" + name, isHurried: isHurried)
            isChanged = true
        }
        if isChanged { try directory.system.syncDirectory(directory.idsPath) }
    }
}

extension Snapshots {
    /// Files of sealed ids that the snapshots count on. One that is damaged counts on nothing: it cannot be used.
    public static func sealedRuns(in directory: DataDirectory) throws(StoreError) -> [NamedRun] {
        var all: [NamedRun] = []
        for sequence in try list(in: directory) {
            do throws(StoreError) {
                all += try sealedRuns(of: SnapshotReader(sequence: sequence, in: directory))
            } catch {
                guard error.code == .snapshotDamaged else { throw error }
            }
        }
        return all
    }

    /// Files of sealed ids that one snapshot counts on, oldest first in a workspace; the reader stands at its beginning then.
    public static func sealedRuns(of reader: SnapshotReader) throws(StoreError) -> [NamedRun] {
        reader.rewind()
        defer { reader.rewind() }
        var all: [NamedRun] = []
        while let chunk = try reader.next(), chunk.section == NamedRun.section {
            do throws(MalformedBytes) { all += try NamedRun.all(in: chunk.bytes) } catch {
                throw .snapshot(reader.path, UInt64(SnapshotHeader.size), "the list of sealed ids cannot be read")
            }
        }
        return all
    }
}
