import TestSupport

extension StreamGenerator {
    /// One read of something that is mostly there.
    mutating func read() -> Line {
        let world = random.number(0...worlds.count - 1)
        let isLost = has(.unknowns) && random.once(in: 20)
        let member = isLost ? "nobody" : anyMember(in: world)
        switch random.number(0...9) {
        case 0: return line("member.get", in: world).with("member", text: member)
        case 1, 2:
            return line("wallet", in: world).with("member", text: member)
                .with("lots", random.pick([nil, "true", "true", "false"]))
        case 3, 4:
            let unit = isLost ? "NONE" : random.pick(worlds[world].units).id
            return line("statement", in: world).with("member", text: member)
                .with("currency", text: random.once(in: 2) ? unit : nil)
                .with("limit", random.pick([nil, "1", "5", "1000"])).with("before", random.pick([nil, "null"]))
        case 5:
            return line("upline", in: world).with("member", text: member).with("levels", random.pick([nil, "1", "3"]))
        case 6:
            return line("downline", in: world).with("member", text: member)
                .with("levels", random.pick([nil, "2", "1000"])).with("limit", random.pick([nil, "1", "7"]))
        default:
            guard let board = worlds[world].boards.randomElement(using: &random) else {
                return line("wallet", in: world).with("member", text: member)
            }
            let name = isLost ? "b9" : board.id
            let period = random.once(in: 2) ? periodName(board.period, weekStart: worlds[world].weekStart) : nil
            if random.once(in: 2) {
                return line("board.top", in: world).with("board", text: name).with("period", text: period)
                    .with("limit", random.pick([nil, "1", "3", "1000"]))
            }
            return line("board.rank", in: world).with("board", text: name).with("member", text: member)
                .with("period", text: period).with("around", random.pick([nil, "0", "1", "2", "3", "5", "8"]))
        }
    }

    /// Reads that together show everything that a client can see: every member, wallet, statement, upline and
    /// downline, and every board in many periods. To be asked at the end of a stream, in one batch of its own.
    public mutating func audit() -> [String] {
        var lines: [Line] = []
        for world in worlds.indices {
            for member in worlds[world].members {
                lines += [
                    line("member.get", in: world).with("member", text: member),
                    line("wallet", in: world).with("member", text: member).with("lots", "true"),
                    line("statement", in: world).with("member", text: member).with("limit", "1000"),
                    line("upline", in: world).with("member", text: member).with("levels", "1000"),
                    line("downline", in: world).with("member", text: member).with("levels", "1000")
                        .with("limit", "1000"),
                ]
            }
            for board in worlds[world].boards {
                for period in auditPeriods(board.period, weekStart: worlds[world].weekStart) {
                    lines.append(
                        line("board.top", in: world).with("board", text: board.id).with("period", text: period)
                            .with("limit", "1000"))
                }
                for member in worlds[world].members.prefix(12) {
                    lines.append(
                        line("board.rank", in: world).with("board", text: board.id).with("member", text: member)
                            .with("around", "5"))
                }
            }
        }
        return lines.map { numbered($0) }
    }

    private func auditPeriods(_ kind: String, weekStart: String) -> [String?] {
        let today = Zone.utc.date(at: time)
        let step = ["day": 1, "week": 5, "month": 27, "year": 360, "all": 1000][kind]!
        let names = (-30...30).map { index in
            let date = today.adding(days: index * step)
            return Period(PeriodKind(rawValue: kind)!, holding: date, weekStart: WeekStart(rawValue: weekStart)!).name
        }
        return [nil] + Set(names).sorted().map { $0 }
    }
}
