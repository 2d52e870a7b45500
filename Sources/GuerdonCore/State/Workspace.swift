/// One customer's closed world. Nothing in it refers to another workspace.
final class Workspace {
    let name: Text
    let index: Int
    let shardBits: Int

    // Settings.
    /// Calendars and the log positions they hold from, in order; never empty.
    private(set) var calendars: [(from: UInt64, calendar: WorkspaceCalendar)] = [(0, WorkspaceCalendar())]
    var autoCreateMembers = false
    var codes = ReferralCodes()

    // Members: ids and the forest are shared by the shards and change only between steps.
    let members: IdTable
    let forest: Forest
    let shards: ContiguousArray<MemberShard>
    /// Brings boards up beside the owner; only where one shard knows all members.
    let side: SideWork?

    // Named things, in order of creation.
    var currencies: ContiguousArray<Currency> = []
    var currencyIndex: [Text: Int] = [:]
    var accounts: ContiguousArray<FundingAccount> = []
    var accountIndex: [Text: Int] = [:]
    var boards: ContiguousArray<Board> = []
    var boardIndex: [Text: Int] = [:]
    /// For each currency, the boards that count it.
    var boardsOfCurrency: ContiguousArray<ContiguousArray<Board>> = []

    // Plans.
    var plans: ContiguousArray<PlanVersion> = []
    var planOrder: [Text] = []
    var newestPlan: [Text: UInt32] = [:]
    var rewardInfos: ContiguousArray<RewardInfo> = []
    /// Where the rewards of a plan version's bonuses begin in ``rewardInfos``.
    private var rewardStarts: [[Int]] = []
    var grantsTags = false
    /// Shapes worked out since the settings changed last.
    var shapes: [ActionShape: ActiveShape] = [:] {
        didSet { if shapes.isEmpty { madePayTable = nil } }
    }
    private var madePayTable: PayTable?

    /// Where rewards go; made when it is needed first after a change of settings.
    var payTable: PayTable {
        if let madePayTable { return madePayTable }
        let made = PayTable(self)
        madePayTable = made
        return made
    }

    // What was seen.
    let externalIds: ExternalIdTable
    /// Order-free digest of the log positions whose external ids are remembered.
    var externalDigest: UInt64 = 0
    /// Actions that were reversed, and the value that is left (units of the action's currency); 0 for none.
    var reversals: [UInt64: Int64] = [:]
    var actionCount: UInt64 = 0
    var conditionErrors: UInt64 = 0
    /// Whether the shards have something to settle.
    var touched = false

    init(
        name: Text, index: Int, shardBits: Int, seed: BitHash.Seed, side: SideWork?, idsPerGeneration: Int
    ) {
        self.name = name
        self.index = index
        self.shardBits = shardBits
        self.side = side
        members = IdTable(seed: seed)
        externalIds = ExternalIdTable(generationLimit: idsPerGeneration)
        forest = Forest()
        shards = ContiguousArray((0..<(1 << shardBits)).map { _ in MemberShard() })
    }

    deinit {
        side?.finish()
        members.deallocate()
        externalIds.deallocate()
        forest.deallocate()
    }

    /// Counts accepted actions whose external ids are remembered now; `digest` is the sum of their terms.
    func remembered(_ actions: UInt64, digest: UInt64) {
        guard actions > 0 else { return }
        externalDigest &+= digest
        actionCount += actions
        touched = true
    }

    /// Number of members.
    var memberCount: Int { members.count }

    @inline(__always) func shard(of member: UInt32) -> Int { Int(member) & (shards.count - 1) }
    @inline(__always) func local(of member: UInt32) -> Int { Int(member) >> shardBits }

    /// The member with this id.
    func member(_ id: Text) -> UInt32? {
        id.bytes.withUnsafeBytes { members.find(members.hash($0), $0) }
    }

    /// Creates a member whose id is new.
    func addMember(hash: UInt64, id: UnsafeRawBufferPointer) -> UInt32 {
        side?.finish()
        let member = members.insert(hash, id)
        forest.grow(to: memberCount)
        let shard = shards[shard(of: member)]
        shard.wallets.grow(to: local(of: member) + 1)
        return member
    }

    /// Creates a member as a snapshot lists him; nobody is found by his id before all are indexed, see ``IdTable/indexAll()``.
    @inline(__always)
    func appendMember(_ id: UnsafeRawBufferPointer) { members.append(id) }

    /// Makes room for what belongs to members that were appended.
    func growToMembers() {
        forest.grow(to: memberCount)
        for (number, shard) in shards.enumerated() where memberCount > number {
            shard.wallets.grow(to: local(of: UInt32(memberCount - 1 - number)) + 1)
        }
    }

    func id(of member: UInt32) -> Text { Text(copying: members.id(member)) }

    func profile(of member: UInt32) -> Profile? { shards[shard(of: member)].profiles[local(of: member)] }
    func setProfile(_ profile: Profile?, of member: UInt32) {
        shards[shard(of: member)].profiles[local(of: member)] = profile
    }
    func wallet(of member: UInt32, currency: Int) -> Wallet {
        shards[shard(of: member)].wallets.wallets[currency][local(of: member)]
    }

    /// The member's own referral code.
    func referralCode(of member: UInt32) -> Text? {
        profile(of: member)?.code ?? codes.automatic(member)
    }

    func addCurrency(_ currency: Currency) {
        currencyIndex[currency.code] = currencies.count
        currencies.append(currency)
        boardsOfCurrency.append([])
        for shard in shards {
            shard.wallets.addCurrency()
            shard.issued.append(0)
        }
        shapes.removeAll()
    }

    func addAccount(_ account: FundingAccount) {
        accountIndex[account.account] = accounts.count
        accounts.append(account)
        for shard in shards { shard.funded.append(0) }
        shapes.removeAll()
    }

    func addBoard(_ board: Board) {
        boardIndex[board.name] = boards.count
        boards.append(board)
        boardsOfCurrency[board.currency].append(board)
        shapes.removeAll()
    }

    func addPlan(_ plan: PlanVersion) {
        precondition(Int(plan.index) == plans.count)
        if newestPlan.updateValue(plan.index, forKey: plan.definition.plan) == nil {
            planOrder.append(plan.definition.plan)
        }
        plans.append(plan)
        var starts: [Int] = []
        for (b, bonus) in plan.bonuses.enumerated() {
            starts.append(rewardInfos.count)
            for (r, reward) in bonus.rewards.enumerated() {
                if case .tag = reward.target { grantsTags = true }
                rewardInfos.append(
                    RewardInfo(
                        plan: plan.index, bonus: UInt16(b), reward: UInt16(r),
                        currency: UInt16(max(0, reward.currency)),
                        account: Int32(reward.account ?? -1), hasLifetime: reward.lifetime != nil,
                        lifetime: reward.lifetime ?? CalendarDuration()))
            }
        }
        rewardStarts.append(starts)
        shapes.removeAll()
    }

    func rewardIndex(plan: UInt32, bonus: Int, reward: Int) -> UInt32 {
        UInt32(rewardStarts[Int(plan)][bonus] + reward)
    }

    /// The calendar in force now.
    var calendar: WorkspaceCalendar { calendars[calendars.count - 1].calendar }
    var zone: ZoneTable { calendar.zone }
    var weekStart: WeekStart { calendar.weekStart }

    func setCalendar(_ calendar: WorkspaceCalendar, from sequence: UInt64) {
        guard calendar != self.calendar else { return }
        calendars.append((sequence, calendar))
        day = CachedDay()
        for board in boards { board.forgetRecentDays() }
    }

    /// Puts calendars back as a snapshot held them.
    func restoreCalendars(_ restored: [(from: UInt64, calendar: WorkspaceCalendar)]) { calendars = restored }

    /// The calendar that was in force at a log position.
    func calendar(at sequence: UInt64) -> WorkspaceCalendar {
        (calendars.last { $0.from <= sequence } ?? calendars[0]).calendar
    }

    /// Days since 1970-01-01 of the local date at an instant, with the last day found kept at hand.
    @inline(__always)
    func localDay(at time: Int64) -> Int64 {
        day.holds(time) ? day.number : findDay(time)
    }

    @inline(never)
    private func findDay(_ time: Int64) -> Int64 {
        let number = calendar.localDay(at: time)
        let start = zone.startOfDay(number)
        let end = zone.startOfDay(number + 1)
        let (from, low) = start.multipliedReportingOverflow(by: 1_000_000_000)
        let (until, high) = end.multipliedReportingOverflow(by: 1_000_000_000)
        // Only days without a change of offset are remembered: a clock set back over midnight repeats a date.
        if !low, !high, from <= time, time < until, zone.offset(at: start).until >= end {
            day = CachedDay(number: number, from: from, until: until)
        }
        return number
    }

    /// The last day that was worked out; runs of actions copy it.
    private(set) var day = CachedDay()

    /// A local day and the instants between which it is that day.
    struct CachedDay {
        var number: Int64 = 0
        var from: Int64 = 0
        var until: Int64 = 0

        @inline(__always) func holds(_ time: Int64) -> Bool { time >= from && time < until }
    }
}

/// What turns instants into local dates and weeks.
struct WorkspaceCalendar: Equatable {
    var zone = ZoneTable.utc
    var weekStart = WeekStart.monday

    /// Days since 1970-01-01 of the local date at an instant (nanoseconds since 1970).
    func localDay(at time: Int64) -> Int64 {
        let seconds = floorDivide(time, 1_000_000_000)
        return floorDivide(seconds + Int64(zone.offset(at: seconds).offset), 86_400)
    }
}

/// One shard's part of a workspace's members, and what it paid since the accounts were settled last.
final class MemberShard {
    let wallets = WalletShard()
    var profiles = Pages<Profile>()
    /// By currency: paid by issuance.
    let issued = Buffer<Int64>()
    /// By funding account.
    let funded = Buffer<Int64>()
    var conditionErrors: UInt64 = 0

    deinit {
        issued.deallocate()
        funded.deallocate()
    }
}

@inline(__always) func floorDivide(_ a: Int64, _ b: Int64) -> Int64 {
    let q = a / b
    return a % b < 0 ? q - 1 : q
}
