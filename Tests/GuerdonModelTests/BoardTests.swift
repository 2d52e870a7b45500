import GuerdonModel
import Testing

/// Boards: periods, zones, ties, ranks, neighbours: W20 W21 W22 W24, P11.
@Suite struct BoardTests {
    /// Each action pays its value in points.
    private func shop(zone: String = "UTC", weekStart: String = "monday", members: Int = 6) -> Scenario {
        var scenario = Scenario()
        scenario.setUp(
            "{'op':'workspace.put','timeZone':'\(zone)','weekStart':'\(weekStart)'}",
            "{'op':'currency.put','currency':'PTS'}",
            "{'op':'plan.put','plan':{'plan':'p','bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'PTS','rate':'1'}]}]}}"
        )
        for number in 1...members { scenario.setUp("{'op':'member.put','member':'m\(number)'}") }
        return scenario
    }

    private func score(_ id: String, _ member: String, _ value: Int, at: String? = nil) -> String {
        "{'op':'action','externalId':'\(id)','performer':'\(member)','type':'x','value':\(value)"
            + (at.map { ",'at':'\($0)'" } ?? "") + "}"
    }

    private func board(_ period: String, ties: String = "competition") -> String {
        "{'op':'board.put','board':'b','score':{'currency':'PTS'},'period':'\(period)','ties':'\(ties)'}"
    }

    @Test(
        "W21 W22: three ways to number ties; whoever got there first stands first",
        arguments: [
            ("competition", [1, 1, 1, 1, 5, 6], [1, 2, 2, 2, 5]), ("dense", [1, 1, 1, 1, 2, 3], [1, 2, 2, 2, 3]),
            ("ordinal", [1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5]),
        ]) func tiesAreNumbered(ties: String, first: [Int], last: [Int])
    {
        var scenario = shop()
        scenario.setUp(
            board("all", ties: ties), score("a1", "m1", 5), score("a2", "m2", 9), score("a3", "m3", 3),
            score("a4", "m4", 7), score("a5", "m5", 9), score("a6", "m6", 1), score("a7", "m6", 8),
            // m3 climbs to 9 last; m4 falls to 4.
            score("a8", "m3", 6), "{'op':'reverse','externalId':'r1','of':'a4','value':3}")
        // m2 got to 9 at 11, m5 at 14, m6 at 16, m3 at 17.
        #expect(
            scenario.page("{'op':'board.top','board':'b'}")
                == zip(first, ["m2 9", "m5 9", "m6 9", "m3 9", "m1 5", "m4 4"]).map { "\($0) \($1)" })
        scenario.setUp(
            "{'op':'reverse','externalId':'r2','of':'a2'}", "{'op':'reverse','externalId':'r3','of':'a5','value':1}")
        scenario.setUp(score("a9", "m1", 3), "{'op':'reverse','externalId':'r4','of':'a8','value':1}")
        // Now m6 9; m5 8 (since r3), m1 8 (since a9), m3 8 (since r4); m4 4.
        #expect(
            scenario.page("{'op':'board.top','board':'b'}")
                == zip(last, ["m6 9", "m5 8", "m1 8", "m3 8", "m4 4"]).map { "\($0) \($1)" })
        #expect(scenario.model.checkInvariants() == [])
        #expect(scenario.model.standings(workspace: "main", board: "b", period: "all").map(\.rank) == last)
        #expect(
            scenario.model.standings(workspace: "main", board: "b", period: "all", ties: .dense).map(\.rank)
                == [1, 2, 2, 2, 3])
    }

    @Test("Two who changed in the same command stand in the order of their ids") func sameCommandByIdBytes() {
        var scenario = shop(members: 1)
        scenario.setUp(
            "{'op':'member.put','member':'a1','referrer':'m1'}", board("all"),
            """
            {'op':'plan.put','plan':{'plan':'p','bonuses':[{'bonus':'b','rewards':[
            {'to':'upline','currency':'PTS','levels':[{'rate':'1'}]},{'to':'performer','currency':'PTS','rate':'1'}]}]}}
            """,
            score("x", "a1", 4))
        #expect(scenario.page("{'op':'board.top','board':'b'}") == ["1 a1 4", "1 m1 4"])
    }

    @Test("W20: the window around a member is clipped at the ends") func neighbours() {
        var scenario = shop()
        scenario.setUp(board("all"))
        for number in 1...6 { scenario.setUp(score("a\(number)", "m\(number)", 10 - number)) }
        let rank = { (member: String, around: Int) in
            "{'op':'board.rank','board':'b','member':'\(member)','around':\(around)}"
        }
        #expect(scenario.page(rank("m3", 5)) == ["1 m1 9", "2 m2 8", "3 m3 7", "4 m4 6", "5 m5 5"])
        #expect(scenario.page(rank("m3", 4)) == ["1 m1 9", "2 m2 8", "3 m3 7", "4 m4 6"])
        #expect(scenario.page(rank("m3", 2)) == ["2 m2 8", "3 m3 7"])
        #expect(scenario.page(rank("m3", 1)) == ["3 m3 7"])
        #expect(scenario.page(rank("m1", 5)) == ["1 m1 9", "2 m2 8", "3 m3 7"])
        #expect(scenario.page(rank("m6", 5)) == ["4 m4 6", "5 m5 5", "6 m6 4"])
        scenario.expect(rank("m2", 0), "{'ok':true,'seq':16,'rank':2,'score':'8','entries':[]}")
        scenario.setUp("{'op':'member.put','member':'m7'}")
        scenario.expect(rank("m7", 3), "{'ok':true,'seq':17,'rank':null,'score':'0','entries':[]}")
        scenario.refuse(rank("m8", 3), "unknown_member", "member")
        scenario.refuse("{'op':'board.rank','board':'c','member':'m1'}", "unknown_board", "board")
        #expect(scenario.page("{'op':'board.top','board':'b','limit':2}") == ["1 m1 9", "2 m2 8"])
    }

    @Test(
        "Periods are those of the workspace's zone and week, ends included",
        arguments: [
            // zone, week start, period, time, name, end
            ("UTC", "monday", "week", "2026-11-01T10:00:00Z", "2026-W44", "2026-11-02T00:00:00Z"),
            ("UTC", "sunday", "week", "2026-11-01T10:00:00Z", "2026-W45", "2026-11-08T00:00:00Z"),
            ("UTC", "saturday", "week", "2026-10-31T10:00:00Z", "2026-W45", "2026-11-07T00:00:00Z"),
            ("UTC", "monday", "week", "2027-01-03T23:59:59Z", "2026-W53", "2027-01-04T00:00:00Z"),
            ("UTC", "sunday", "week", "2027-01-03T00:00:00Z", "2027-W01", "2027-01-10T00:00:00Z"),
            ("UTC", "monday", "week", "2024-12-30T00:00:00Z", "2025-W01", "2025-01-06T00:00:00Z"),
            ("Europe/Warsaw", "monday", "month", "2026-11-30T22:59:59Z", "2026-11", "2026-12-01T00:00:00+01:00"),
            ("Europe/Warsaw", "monday", "month", "2026-11-30T23:00:00Z", "2026-12", "2027-01-01T00:00:00+01:00"),
            ("Europe/Warsaw", "monday", "day", "2026-03-28T23:00:00Z", "2026-03-29", "2026-03-30T00:00:00+02:00"),
            ("Europe/Warsaw", "monday", "day", "2026-10-25T22:59:59Z", "2026-10-25", "2026-10-26T00:00:00+01:00"),
            ("America/New_York", "monday", "day", "2026-11-01T03:59:59Z", "2026-10-31", "2026-11-01T00:00:00-04:00"),
            ("America/New_York", "monday", "day", "2026-11-01T04:00:00Z", "2026-11-01", "2026-11-02T00:00:00-05:00"),
            ("Asia/Kathmandu", "monday", "day", "2026-11-01T18:15:00Z", "2026-11-02", "2026-11-03T00:00:00+05:45"),
            ("Pacific/Apia", "monday", "day", "2011-12-30T09:59:59Z", "2011-12-29", "2011-12-31T00:00:00+14:00"),
            ("Pacific/Apia", "monday", "day", "2011-12-30T10:00:00Z", "2011-12-31", "2012-01-01T00:00:00+14:00"),
            ("Pacific/Apia", "monday", "year", "2011-12-31T09:59:59Z", "2011", "2012-01-01T00:00:00+14:00"),
            ("UTC", "monday", "year", "2024-12-31T23:59:59.999999999Z", "2024", "2025-01-01T00:00:00Z"),
        ]) func periodsFollowTheZone(
            zone: String, weekStart: String, period: String, at: String, name: String, ends: String
        )
    {
        var scenario = shop(zone: zone, weekStart: weekStart, members: 1)
        scenario.setUp(board(period), score("a", "m1", 5, at: at))
        scenario.expect(
            "{'op':'board.top','board':'b','period':'\(name)'}",
            "{'ok':true,'seq':6,'board':'b','period':'\(name)','ends':'\(ends)','total':1,'entries':[{'rank':1,'member':'m1','score':'5'}]}"
        )
    }

    @Test("Without a period the current one is meant; finished ones are kept") func currentPeriod() {
        var scenario = shop(zone: "Europe/Warsaw", members: 1)
        scenario.setUp(board("day"), score("a", "m1", 5))
        #expect(scenario.send("{'op':'board.top','board':'b'}")["period"] == "2026-11-01")
        scenario.wait(13 * 3600)
        #expect(scenario.send("{'op':'board.top','board':'b'}")["period"] == "2026-11-02")
        #expect(scenario.page("{'op':'board.top','board':'b'}") == [])
        #expect(scenario.page("{'op':'board.top','board':'b','period':'2026-11-01'}") == ["1 m1 5"])
        // A reversal counts in the period of the action, whenever it comes, and whatever the zone is by then.
        scenario.setUp(
            "{'op':'workspace.put','timeZone':'Pacific/Apia'}", "{'op':'reverse','externalId':'r','of':'a','value':2}")
        #expect(scenario.page("{'op':'board.top','board':'b','period':'2026-11-01'}") == ["1 m1 3"])
        for name in ["2026-11", "2026-11-31", "2026-W45", "all", "", "yesterday"] {
            scenario.refuse("{'op':'board.top','board':'b','period':'\(name)'}", "bad_request", "period")
        }
    }

    @Test("A board counts rewards alone, from its put on, backdated ones in their own period") func whatCounts() {
        var scenario = shop(members: 1)
        scenario.setUp(
            score("old", "m1", 100), board("month"),
            "{'op':'adjust','externalId':'g','member':'m1','currency':'PTS','amount':50}",
            "{'op':'redeem','externalId':'s','member':'m1','currency':'PTS','amount':140}",
            score("a", "m1", 7), score("late", "m1", 3, at: "2026-10-31T23:59:59Z"),
            "{'op':'reverse','externalId':'r','of':'old'}")
        #expect(scenario.page("{'op':'board.top','board':'b'}") == ["1 m1 7"])
        #expect(scenario.page("{'op':'board.top','board':'b','period':'2026-10'}") == ["1 m1 3"])
        scenario.refuse(board("year"), "conflict")
        scenario.setUp(board("month", ties: "dense"))
        scenario.refuse("{'op':'board.put','board':'c','score':{'currency':'X'},'period':'all'}", "unknown_currency")
        #expect(scenario.model.checkInvariants() == [])
    }
}
