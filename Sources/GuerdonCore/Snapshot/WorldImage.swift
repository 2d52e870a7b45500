/// The state at one log position, held still while the world goes on: frozen columns and copies of the small things.
///
/// Made between batches in time proportional to the number of chunks; written on another thread; then given back with
/// ``World/release(_:)``.
public final class WorldImage: @unchecked Sendable {
    // Sendable: all it holds is frozen or a copy, until the world takes it back.

    /// One board's period.
    struct StandingImage {
        var key: Int64
        var standing: Standing
        var scores: ContiguousArray<FrozenColumn<Standing.Score>>
    }
    struct BoardImage {
        var name: Text
        var currency: Int
        var period: BoardPeriod
        var ties: TieStyle
        var sequence: UInt64
        var standings: [StandingImage]
    }
    struct ShardImage {
        var wallets: ContiguousArray<FrozenColumn<Wallet>>
        var lots: FrozenColumn<Lot>
        var profiles: Pages<Profile>
    }
    struct PlanImage {
        var definition: PlanDefinition
        var version: Int
        var sequence: UInt64
        var starts: Int64
        var ends: Int64
    }
    struct WorkspaceImage {
        var workspace: Workspace
        var calendars: [(from: UInt64, calendar: WorkspaceCalendar)]
        var autoCreateMembers: Bool
        var codes: ReferralCodes
        var members: FrozenIdTable
        var memberCount: Int
        var referrers: FrozenColumn<UInt32>
        var shards: ContiguousArray<ShardImage>
        var currencies: ContiguousArray<Currency>
        var accounts: ContiguousArray<FundingAccount>
        var boards: [BoardImage]
        var plans: [PlanImage]
        var externalIds: [FrozenIdGeneration]
        var sealedRuns: [SealedRunName]
        var externalDigest: UInt64
        var reversals: [UInt64: Int64]
        var actionCount: UInt64
        var conditionErrors: UInt64
    }

    /// Log position it shows.
    public let sequence: UInt64
    /// Time of the last batch.
    public let time: Int64
    let shardBits: Int
    let workspaces: ContiguousArray<WorkspaceImage>

    /// Files of sealed ids that a snapshot of this image counts on: they must stay until it is gone.
    public var sealedRuns: [SealedRunName] { workspaces.flatMap { $0.sealedRuns } }

    init(sequence: UInt64, time: Int64, shardBits: Int, workspaces: ContiguousArray<WorkspaceImage>) {
        self.sequence = sequence
        self.time = time
        self.shardBits = shardBits
        self.workspaces = workspaces
    }
}

extension World {
    /// Holds the state still. One image at a time; give it back with ``release(_:)``.
    public func image() -> WorldImage {
        WorldImage(
            sequence: sequence, time: time, shardBits: shardBits,
            workspaces: ContiguousArray(workspaces.map { $0.image() }))
    }

    /// Ends an image: its frozen columns go back to normal.
    public func release(_ image: WorldImage) {
        for held in image.workspaces {
            let workspace = held.workspace
            workspace.members.thaw(held.members)
            workspace.forest.thawReferrers(held.referrers)
            workspace.externalIds.thaw(held.externalIds)
            for (shard, frozen) in zip(workspace.shards, held.shards) {
                for (column, wallets) in zip(shard.wallets.wallets, frozen.wallets) { column.thaw(wallets) }
                shard.wallets.lots.thaw(frozen.lots)
            }
            for board in held.boards {
                for standing in board.standings {
                    for (table, scores) in zip(standing.standing.tables, standing.scores) { table.scores.thaw(scores) }
                }
            }
        }
    }

    /// The logical state as a digest: equal for equal logs on every machine, whatever the shard count.
    public func stateHash() -> String {
        let image = image()
        defer { release(image) }
        struct HashSink: StateSink {
            var hasher = StateHasher()
            mutating func write(section: UInt32, _ bytes: UnsafeRawBufferPointer) {
                guard section != StateSection.externalIds.rawValue, section != StateSection.sealedRuns.rawValue
                else { return }
                // Where a section is cut into pieces must not matter: only its bytes are hashed.
                hasher.combine(bytes: bytes)
            }
        }
        guard let sink = try? image.write(to: HashSink()) else { preconditionFailure("hashing cannot fail") }
        return sink.hasher.finalize().hexadecimal
    }
}

extension Workspace {
    fileprivate func image() -> WorldImage.WorkspaceImage {
        side?.finish()
        return makeImage()
    }

    private func makeImage() -> WorldImage.WorkspaceImage {
        WorldImage.WorkspaceImage(
            workspace: self, calendars: calendars, autoCreateMembers: autoCreateMembers, codes: codes,
            members: members.freeze(), memberCount: memberCount, referrers: forest.freezeReferrers(),
            shards: ContiguousArray(
                shards.map { shard in
                    WorldImage.ShardImage(
                        wallets: ContiguousArray(shard.wallets.wallets.map { $0.freeze() }),
                        lots: shard.wallets.lots.freeze(), profiles: shard.profiles)
                }),
            currencies: currencies, accounts: accounts,
            boards: boards.map { board in
                WorldImage.BoardImage(
                    name: board.name, currency: board.currency, period: board.period, ties: board.ties,
                    sequence: board.sequence,
                    standings: board.standings.keys.sorted().compactMap { key in
                        board.standings[key].map { standing in
                            WorldImage.StandingImage(
                                key: key, standing: standing,
                                scores: ContiguousArray(standing.tables.map { $0.scores.freeze() }))
                        }
                    })
            },
            plans: plans.map {
                WorldImage.PlanImage(
                    definition: $0.definition, version: $0.version, sequence: $0.sequence, starts: $0.starts,
                    ends: $0.ends)
            },
            externalIds: externalIds.freeze(), sealedRuns: externalIds.runNames, externalDigest: externalDigest,
            reversals: reversals, actionCount: actionCount, conditionErrors: conditionErrors)
    }
}
