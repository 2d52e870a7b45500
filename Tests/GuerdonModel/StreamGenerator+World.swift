import TestSupport

extension StreamGenerator {
    /// What the generator remembers of a workspace.
    struct World: Sendable {
        struct Unit: Sendable {
            let id: String
            let scale: Int
        }

        struct Sent: Sendable {
            let id: String
            let value: Int?
            let currency: Unit?
        }

        let id: String
        var zone = "UTC"
        var weekStart = "monday"
        var units: [Unit] = []
        var accounts: [String] = []
        var members: [String] = []
        var plans: [String] = []
        var boards: [(id: String, period: String)] = []
        var sent: [Sent] = []
        var lines: [Line] = []
        var nextExternalId = 0

        /// Keeps the latest lines with an external id to send them again.
        mutating func remember(_ line: Line) {
            lines.append(line)
            if lines.count > 60 { lines.removeFirst() }
        }
    }

    static let zones = [
        "UTC", "Europe/Warsaw", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe",
    ]

    /// A line for a workspace; `main` is the default and mostly not named.
    mutating func line(_ op: String, in world: Int) -> Line {
        let id = worlds[world].id
        let isNamed = id != "main" || random.once(in: 10)
        return Line(op).with("workspace", text: isNamed ? id : nil)
    }

    /// The commands that found the worlds; they stand in the stream like all others.
    mutating func setUp() -> [Line] {
        var lines: [Line] = []
        for id in has(.workspaces) ? ["main", "shop", "ł"] : ["main"] {
            worlds.append(World(id: id))
            lines += setUp(worlds.count - 1)
        }
        return lines
    }

    private mutating func setUp(_ world: Int) -> [Line] {
        worlds[world].zone = random.pick(StreamGenerator.zones)
        worlds[world].weekStart = random.pick(["monday", "sunday", "saturday"])
        var lines = [
            line("workspace.put", in: world).with("timeZone", text: worlds[world].zone)
                .with("weekStart", text: worlds[world].weekStart)
                .with("autoCreateMembers", has(.autoCreate) ? "true" : nil)
                .with("referralCode", text: has(.codes) ? "REF-{seq}" : nil)
        ]
        for (id, scale) in [("PTS", 0), ("EUR", 2), ("GEM", random.number(0...6))]
        where id != "GEM" || random.once(in: 2) {
            worlds[world].units.append(World.Unit(id: id, scale: scale))
            lines.append(currency(id, scale: scale, in: world))
        }
        if has(.budgets) {
            for unit in worlds[world].units {
                worlds[world].accounts.append("acme-" + unit.id)
                lines.append(account("acme-" + unit.id, unit, in: world))
            }
        }
        let count = has(.manyMembers) ? random.number(50...200) : random.number(2...9)
        for _ in 0..<count { lines.append(newMember(in: world)) }
        for _ in 0..<random.number(1...3) { lines.append(plan(in: world, isValid: true)) }
        if has(.boards) {
            for _ in 0..<random.number(1...5) { lines.append(board(in: world)) }
        }
        return lines
    }

    mutating func currency(_ id: String, scale: Int, in world: Int) -> Line {
        let isMoney = id == "EUR"
        return line("currency.put", in: world).with("currency", text: id)
            .with("kind", text: isMoney ? "money" : random.pick([nil, "points"]))
            .with("scale", isMoney && random.once(in: 2) || (id == "PTS" && random.once(in: 2)) ? nil : String(scale))
            .with("rounding", text: random.pick([nil, "halfUp", "halfEven", "halfDown", "up", "down"]))
            .with("color", text: random.pick([nil, "#3366ff"]))
            .with("lifetime", text: has(.lifetimes) && random.once(in: 2) ? lifetime() : nil)
    }

    mutating func lifetime() -> String {
        random.pick(["PT2S", "PT7S", "PT30S", "PT5M", "PT1H30M", "P1D", "P2W", "P1M", "P1Y2M3DT4H5M6S", "P15D"])
    }

    mutating func account(_ id: String, _ unit: World.Unit, in world: Int) -> Line {
        let budget = random.pick([nil, "0", "\"5\"", "30", "\"200\"", "\"5000\""])
        return line("account.put", in: world).with("account", text: id).with("currency", text: unit.id)
            .with("legalEntity", text: random.pick([nil, "ACME Ltd"]))
            .with("budget", budget ?? random.pick([nil, "null"]))
    }

    mutating func board(in world: Int) -> Line {
        var period = random.pick(["day", "week", "month", "year", "all"])
        let name = "b\(random.number(1...6))"
        if let known = worlds[world].boards.first(where: { $0.id == name }), !random.once(in: 6) {
            period = known.period
        } else if !worlds[world].boards.contains(where: { $0.id == name }) {
            worlds[world].boards.append((name, period))
        }
        // A board by its name always has the same currency, or nearly so.
        let unit = name.utf8.last! % 2 == 0 ? worlds[world].units[0] : worlds[world].units[1]
        return line("board.put", in: world).with("board", text: name)
            .with("score", "{\"currency\":\(Line.quoted(random.once(in: 30) ? "GEM" : unit.id))}")
            .with("period", text: period).with("ties", text: random.pick(["competition", "dense", "ordinal"]))
    }

    mutating func settingChange(in world: Int) -> Line {
        switch random.number(0...4) {
        case 0:
            worlds[world].zone = random.pick(StreamGenerator.zones)
            return line("workspace.put", in: world).with("timeZone", text: worlds[world].zone)
        case 1:
            worlds[world].weekStart = random.pick(["monday", "sunday", "saturday"])
            return line("workspace.put", in: world).with("weekStart", text: worlds[world].weekStart)
        case 2 where has(.codes):
            return line("workspace.put", in: world)
                .with("referralCode", random.pick(["null", "\"REF-{seq}\"", "\"X{seq}Y\"", "\"{seq}\""]))
        case 3 where has(.budgets):
            let unit = random.pick(worlds[world].units)
            return account("acme-" + unit.id, random.once(in: 10) ? worlds[world].units[0] : unit, in: world)
        default:
            let unit = random.pick(worlds[world].units)
            return currency(unit.id, scale: random.once(in: 8) ? (unit.scale + 1) % 7 : unit.scale, in: world)
        }
    }
}
