import GuerdonCore
import GuerdonModel
import TestSupport
import Testing

/// Files of sealed ids as they are in memory: what the store does, without disks, at moments that a generator chooses.
final class SealedRuns {
    struct Run {
        var workspace: Int
        var name: SealedRunName
        var run: SealedIdRun
        var blocks: [[UInt8]]
    }
    private(set) var runs: [Run] = []
    private var waiting: [ClosedGeneration] = []
    private var next: UInt64 = 1
    private var random: SplitMix64
    /// How many questions were asked and how many found something.
    private(set) var asked = 0
    private(set) var found = 0
    private(set) var merged = 0

    init(delaySeed: UInt64) { random = SplitMix64(seed: delaySeed) }

    deinit { for run in runs { run.run.deallocate() } }

    func answer(_ questions: inout [SealedIdQuestion]) {
        for number in questions.indices {
            let question = questions[number]
            asked += 1
            for run in runs where run.workspace == question.workspace && run.run.mayContain(question.key) {
                for block in run.run.blocks(of: question.key) {
                    let hit = run.blocks[block].withUnsafeBytes { SealedIdRun.find(question.key, inBlock: $0) }
                    if let hit { questions[number].answer = hit }
                }
            }
            if questions[number].answer != nil { found += 1 }
        }
    }

    /// Takes full generations, and seals some of those that wait.
    func exchange(with world: World) {
        waiting += world.takeClosedGenerations()
        while !waiting.isEmpty, random.next() % 3 != 0 {
            let closed = waiting.removeFirst()
            var blocks: [[UInt8]] = []
            let run = closed.generation.seal { blocks.append(Array($0)) }
            let name = newName(run.count)
            world.seal(run, named: name, in: closed.workspace)
            runs.append(Run(workspace: closed.workspace, name: name, run: run, blocks: blocks))
            for generation in world.takeRetiredGenerations() { generation.deallocate() }
            if random.next() % 4 == 0 { mergeLast(of: closed.workspace, world) }
        }
    }

    private func newName(_ count: Int) -> SealedRunName {
        defer { next += 1 }
        return SealedRunName(number: next, count: UInt64(count), lastSequence: 0, checksum: UInt32(next))
    }

    private func mergeLast(of workspace: Int, _ world: World) {
        let own = runs.indices.filter { runs[$0].workspace == workspace }
        let places = own.suffix(3)
        guard places.count == 3 else { return }
        var records: [(key: ExternalIdKey, id: RememberedId)] = []
        for place in places {
            for block in runs[place].blocks {
                block.withUnsafeBytes { bytes in
                    SealedIdRun.forEachRecord(inBlock: bytes) { records.append(($0, $1)) }
                }
            }
        }
        records.sort { $0.key < $1.key }
        var builder = SealedIdRunBuilder(count: records.count)
        var blocks: [[UInt8]] = []
        for (key, id) in records { builder.append(key, id) { blocks.append(Array($0)) } }
        let run = builder.finish { blocks.append(Array($0)) }
        let name = newName(run.count)
        world.replaceSealed(own.count - 3..<own.count, with: run, named: name, in: workspace)
        runs[places.first!] = {
            for place in places { runs[place].run.deallocate() }
            return Run(workspace: workspace, name: name, run: run, blocks: blocks)
        }()
        for place in places.dropFirst().reversed() { runs.remove(at: place) }
        merged += 1
    }

    /// Takes over the runs that a snapshot counts on.
    func load(_ loader: WorldLoader, from other: SealedRuns, into world: World) throws {
        for named in loader.sealedRuns {
            let old = try #require(other.runs.first { $0.name == named.run && $0.workspace == named.workspace })
            let run = try #require(old.run.encode().withUnsafeBytes { SealedIdRun(decoding: $0) })
            world.addSealed(run, named: old.name, in: old.workspace)
            runs.append(Run(workspace: old.workspace, name: old.name, run: run, blocks: old.blocks))
        }
        next = other.next
    }
}
