/// Builds a world from the pieces of a snapshot, in the order in which they were written.
public struct WorldLoader {
    private let world: World
    private var workspace: Workspace?
    /// The workspace at hand, until all its members are read, and until all its scores are.
    private var listed: Workspace?
    private var scored: Workspace?
    /// Whether all ids of members that were indexed are different.
    private let areIdsDifferent = Finding()
    private var workspacesLeft = 0
    private var referrersRead: UInt32 = 0
    private var currency: Int?
    private var standing: Standing?
    private var isComplete = false
    private var hasBegun = false
    /// Ids whose digests a workspace still lacks: those of its runs, by number of workspace.
    private var digestLeft: [Int: UInt64] = [:]

    /// Runs of sealed ids that the snapshot counts on, oldest first; whoever loads it adds them to the world.
    public private(set) var sealedRuns: [NamedRun] = []

    /// Fills an empty world.
    public init(into world: World) { self.world = world }

    /// Takes one piece.
    ///
    /// - Throws: ``MalformedBytes`` when it is not what ``WorldImage`` wrote.
    public mutating func read(section: UInt32, _ bytes: UnsafeRawBufferPointer) throws {
        var source = ByteSource(bytes)
        guard let kind = StateSection(rawValue: section) else { throw MalformedBytes(offset: 0) }
        defer { hasBegun = true }
        if kind != .memberIds, let workspace = listed {
            listed = nil
            startIndexing(workspace)
        }
        if !kind.isForScores, let workspace = scored {
            scored = nil
            startBuilding(workspace)
        }
        switch kind {
        case .sealedRuns:
            guard !hasBegun else { throw MalformedBytes(offset: 0) }
            sealedRuns = try NamedRun.all(in: bytes)
        case .world:
            world.sequence = try source.varint()
            world.time = try source.signed()
            workspacesLeft = Int(truncatingIfNeeded: try source.varint())
        case .workspace:
            let name = try source.text()
            let made = world.workspaceIndex[name].map { world.workspaces[$0] } ?? world.addWorkspace(name)
            guard made.memberCount == 0 else { throw MalformedBytes(offset: 0) }
            try made.decodeSettings(&source, shardCount: world.shardCount)
            workspace = made
            (listed, scored) = (made, made)
            digestLeft[made.index] = made.externalDigest
            workspacesLeft -= 1
            referrersRead = 0
        case .end:
            guard workspacesLeft == 0 else { throw MalformedBytes(offset: 0) }
            isComplete = true
        case .memberIds:
            guard let workspace = listed else { throw MalformedBytes(offset: 0) }
            try readMembers(&source, workspace)
        case .externalIds:
            guard let workspace else { throw MalformedBytes(offset: 0) }
            try readExternalIds(&source, workspace)
        default:
            guard let workspace else { throw MalformedBytes(offset: 0) }
            while !source.isAtEnd { try readRecord(kind, &source, workspace) }
        }
    }

    private mutating func readRecord(_ kind: StateSection, _ source: inout ByteSource, _ workspace: Workspace) throws {
        switch kind {
        case .referrers:
            let referrer = UInt32(truncatingIfNeeded: try source.varint()) &- 1
            if referrer != Forest.none {
                guard referrer < workspace.memberCount, referrersRead < workspace.memberCount else {
                    throw MalformedBytes(offset: source.position)
                }
                workspace.forest.link(referrersRead, to: referrer)
            }
            referrersRead += 1
        case .profiles:
            let member = try memberNumber(&source, workspace)
            workspace.setProfile(try Profile(&source), of: member)
        case .wallets: try readWallet(&source, workspace)
        case .scores: try readScore(&source, workspace)
        case .reversals:
            let sequence = try source.varint()
            workspace.reversals[sequence] = try source.signed()
        case .world, .workspace, .memberIds, .externalIds, .end, .sealedRuns:
            throw MalformedBytes(offset: source.position)
        }
    }

    /// Records that are looked at together, so that the misses of the cache hide each other.
    private static let runLength = 64

    private func readMembers(_ source: inout ByteSource, _ workspace: Workspace) throws(MalformedBytes) {
        while !source.isAtEnd {
            let id = try source.run()
            guard Limits.idBytes.contains(id.count) else { throw MalformedBytes(offset: source.position) }
            workspace.appendMember(id)
        }
        workspace.growToMembers()
    }

    private mutating func readExternalIds(
        _ source: inout ByteSource, _ workspace: Workspace
    ) throws(MalformedBytes) {
        let table = workspace.externalIds
        var ids: ContiguousArray<(key: ExternalIdKey, id: RememberedId)> = []
        ids.reserveCapacity(WorldLoader.runLength)
        var digest: UInt64 = 0
        while !source.isAtEnd {
            ids.removeAll(keepingCapacity: true)
            while ids.count < WorldLoader.runLength, !source.isAtEnd {
                let key = ExternalIdKey(high: try source.fixed(), low: try source.fixed())
                let content = try source.fixed()
                ids.append((key, RememberedId(sequence: try source.varint(), content: content)))
                _ = table.search(key)
            }
            for (key, id) in ids {
                table.insert(key, id)
                digest &+= id.digestTerm
                if table.isGenerationFull { _ = table.closeGeneration() }
            }
        }
        digestLeft[workspace.index, default: 0] &-= digest
    }

    private func memberNumber(_ source: inout ByteSource, _ workspace: Workspace) throws(MalformedBytes) -> UInt32 {
        let member = try source.varint()
        guard member < UInt64(workspace.memberCount) else { throw MalformedBytes(offset: source.position) }
        return UInt32(member)
    }

    private mutating func readWallet(_ source: inout ByteSource, _ workspace: Workspace) throws(MalformedBytes) {
        guard let currency else {
            let index = Int(truncatingIfNeeded: try source.varint())
            guard workspace.currencies.indices.contains(index) else { throw MalformedBytes(offset: source.position) }
            self.currency = index
            return
        }
        let number = try source.varint()
        if number == 0 {
            self.currency = nil
            return
        }
        guard number <= UInt64(workspace.memberCount) else { throw MalformedBytes(offset: source.position) }
        let member = UInt32(number - 1)
        let local = workspace.local(of: member)
        var wallet = Wallet()
        wallet.balance = try source.signed()
        wallet.undated = try source.signed()
        wallet.lastSequence = try source.varint() & Wallet.severalSources
        wallet.undatedSource = try source.varint() & Wallet.severalSources
        var lots: [Lot] = []
        for _ in 0..<(try source.length()) {
            lots.append(
                Lot(
                    amount: try source.signed(), expires: try source.signed(),
                    sequence: try source.varint() & Wallet.severalSources, local: UInt32(local),
                    currency: UInt16(currency)))
        }
        workspace.shards[workspace.shard(of: member)].wallets.restore(
            local: local, currency: currency, wallet: wallet, lots: lots)
    }

    private mutating func readScore(_ source: inout ByteSource, _ workspace: Workspace) throws(MalformedBytes) {
        guard scored != nil else { throw MalformedBytes(offset: source.position) }
        guard let standing else {
            let board = Int(truncatingIfNeeded: try source.varint())
            guard workspace.boards.indices.contains(board) else { throw MalformedBytes(offset: source.position) }
            self.standing = workspace.boards[board].standing(key: try source.signed())
            return
        }
        let number = try source.varint()
        if number == 0 {
            self.standing = nil
            return
        }
        guard number <= UInt64(workspace.memberCount) else { throw MalformedBytes(offset: source.position) }
        let score = Standing.Score(score: try source.signed(), since: try source.varint() & Wallet.severalSources)
        guard score.score >= 0 else { throw MalformedBytes(offset: source.position) }
        standing.restore(score, of: UInt32(number - 1))
    }

    /// What the digests of a workspace's sealed ids must add up to.
    public func sealedDigest(of workspace: Int) -> UInt64 { digestLeft[workspace] ?? 0 }

    /// Ends loading.
    ///
    /// - Throws: ``MalformedBytes`` when the end is missing.
    public func finish() throws(MalformedBytes) {
        guard isComplete else { throw MalformedBytes(offset: 0) }
        world.side?.finish()
        guard areIdsDifferent.holds else { throw MalformedBytes(offset: 0) }
    }

    /// Members from which on their ids are indexed beside the reading of what follows.
    private static let membersBeside = 10_000

    /// Has members be found by their ids; nothing that a snapshot says looks for one.
    private func startIndexing(_ workspace: Workspace) {
        let (members, finding) = (workspace.members, areIdsDifferent)
        let index = { @Sendable in
            if !members.indexAll() { finding.holds = false }
        }
        if let side = world.side, workspace.memberCount >= WorldLoader.membersBeside {
            side.start(index)
        } else {
            index()
        }
    }

    /// Builds the orders of boards whose scores are read, beside the reading of what follows.
    private func startBuilding(_ workspace: Workspace) {
        for board in workspace.boards {
            for standing in board.standings.values { standing.startBuild(countsDistinct: board.ties == .dense) }
        }
    }
}

/// What work beside the loading found out.
private final class Finding: @unchecked Sendable {
    // Sendable: written by one thread at a time, and read when all work is done.
    var holds = true
}
