// External ids that left memory: asked for before a step is evaluated, and how they leave.

/// Whether a key is among the sealed ids of a workspace: what a filter cannot rule out and a file must settle.
public struct SealedIdQuestion: Sendable {
    /// Number of the workspace.
    public let workspace: Int
    public let key: ExternalIdKey
    /// What is remembered of the key; `nil` when no run has it.
    public var answer: RememberedId?

    /// Asks for a key.
    public init(workspace: Int, key: ExternalIdKey) {
        self.workspace = workspace
        self.key = key
    }
}

/// A generation of external ids that is complete and waits to be sealed.
public struct ClosedGeneration: Sendable {
    /// Number of the workspace.
    public let workspace: Int
    public let generation: IdGeneration

    /// Names a generation of a workspace.
    public init(workspace: Int, generation: IdGeneration) {
        self.workspace = workspace
        self.generation = generation
    }
}

extension World {
    /// Looks up the external ids of the step that may be sealed, so that resolving them needs memory alone.
    ///
    /// A new id touches three places of every filter; the rare hit is read from its file, all hits of a step at once.
    func recallSealedIds() throws {
        for workspace in recalling { workspace.externalIds.forgetRecalled() }
        recalling.removeAll(keepingCapacity: true)
        var questions: [SealedIdQuestion] = []
        let step = step
        step.forEachShape(in: 0..<step.rows.count) { shape, run in
            guard let shape, shape.workspace.externalIds.hasRuns else { return }
            shape.workspace.externalIds.forEachPossiblySealed(in: run) {
                step.rows[$0].key
            } _: { row in
                questions.append(SealedIdQuestion(workspace: shape.workspaceIndex, key: step.rows[row].key))
            }
        }
        if questions.isEmpty { return }
        try log.findSealed(&questions)
        for question in questions {
            guard let answer = question.answer else { continue }
            let workspace = workspaces[question.workspace]
            workspace.externalIds.recall(question.key, answer)
            recalling.append(workspace)
        }
    }

    /// What is remembered of an id, in memory or sealed; for commands that are applied one by one.
    ///
    /// When a file cannot be read, ``logFailure`` says so and applying ends.
    func remembered(_ id: Text, _ workspace: Workspace) -> RememberedId? {
        let key = externalKey(id)
        if let known = workspace.externalIds.find(key) { return known }
        guard workspace.externalIds.mayBeSealed(key) else { return nil }
        do {
            return try log.findSealed(key, in: workspace.index)
        } catch {
            logFailure = error
            return nil
        }
    }

    /// What stands for an external id in the tables.
    func externalKey(_ id: Text) -> ExternalIdKey { id.bytes.withUnsafeBytes { ExternalIdKey(hash.hash128($0)) } }
}

extension LogSource {
    /// What is remembered of one key that may be sealed.
    func findSealed(_ key: ExternalIdKey, in workspace: Int) throws -> RememberedId? {
        var questions = [SealedIdQuestion(workspace: workspace, key: key)]
        try findSealed(&questions)
        return questions[0].answer
    }
}

extension World {
    /// Closes generations that are full, and gives out those that nobody seals yet; oldest first in a workspace.
    ///
    /// To be called between batches. When ids leave memory has no influence on anything that can be seen.
    public func takeClosedGenerations() -> [ClosedGeneration] {
        var taken: [ClosedGeneration] = []
        for workspace in workspaces {
            if workspace.externalIds.isGenerationFull { _ = workspace.externalIds.closeGeneration() }
            while let generation = workspace.externalIds.takeClosedGeneration() {
                taken.append(ClosedGeneration(workspace: workspace.index, generation: generation))
            }
        }
        return taken
    }

    /// Lets the oldest closed generation of a workspace go: its ids are in a run from now on, which is durable.
    public func seal(_ run: SealedIdRun, named name: SealedRunName, in workspace: Int) {
        workspaces[workspace].externalIds.replaceOldestGeneration(with: run, named: name)
        hasSealedIds = true
    }

    /// Puts one run in the place of several, whose ids it holds.
    public func replaceSealed(
        _ range: Range<Int>, with run: SealedIdRun, named name: SealedRunName, in workspace: Int
    ) {
        workspaces[workspace].externalIds.replaceRuns(range, with: run, named: name)
    }

    /// Adds a run that a snapshot named, in the snapshot's order.
    public func addSealed(_ run: SealedIdRun, named name: SealedRunName, in workspace: Int) {
        workspaces[workspace].externalIds.addRun(run, named: name)
        hasSealedIds = true
    }

    /// Generations that have gone to a file, to be freed on any thread.
    public func takeRetiredGenerations() -> [IdGeneration] {
        guard hasSealedIds else { return [] }
        return workspaces.flatMap { $0.externalIds.takeRetired() }
    }

    /// External ids in memory and in files, over all workspaces.
    public var rememberedIds: (inMemory: Int, sealed: Int) {
        workspaces.reduce((0, 0)) { ($0.0 + $1.externalIds.count, $0.1 + $1.externalIds.sealedCount) }
    }

    /// What memory knows of an external id's key; for checks.
    public func idInMemory(_ key: ExternalIdKey, in workspace: Int) -> RememberedId? {
        workspaces.indices.contains(workspace) ? workspaces[workspace].externalIds.find(key) : nil
    }
}
