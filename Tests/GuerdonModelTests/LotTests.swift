import GuerdonModel
import Testing

/// Lots, expiry, spending: L09 L16 W5, P1 P2 P3 P4 P19.
@Suite struct LotTests {
    private func wallet(lifetime: String) -> Scenario {
        var scenario = Scenario()
        scenario.setUp(
            "{'op':'currency.put','currency':'PTS','lifetime':'\(lifetime)'}", "{'op':'member.put','member':'m1'}")
        return scenario
    }

    private func adjust(_ id: String, _ amount: String) -> String {
        "{'op':'adjust','externalId':'\(id)','member':'m1','currency':'PTS','amount':'\(amount)'}"
    }

    private func redeem(_ id: String, _ amount: String) -> String {
        "{'op':'redeem','externalId':'\(id)','member':'m1','currency':'PTS','amount':'\(amount)'}"
    }

    @Test("W5 P4: the oldest expiry is spent first, what is spent never expires") func oldestExpiryFirst() {
        var scenario = wallet(lifetime: "PT10S")
        scenario.setUp(adjust("g1", "5"))
        scenario.wait(1)
        scenario.setUp(adjust("g2", "7"), redeem("s1", "6"))
        #expect(scenario.lots("m1") == ["6 2026-11-01T10:00:11Z g2"])
        scenario.wait(9)
        // At the first expiry nothing is left of the first lot: no tick.
        #expect(scenario.send(redeem("s2", "1"))["seq"] == 6)
        scenario.wait(1)
        // A lot expires to the second: the tick takes number 7 before the command takes 8.
        #expect(scenario.lots("m1") == ["5 2026-11-01T10:00:11Z g2"])
        scenario.refuse(redeem("s3", "1"), "insufficient_funds", "amount")
        #expect(scenario.statement("m1").prefix(2) == ["7 expiry -5 0", "6 redemption -1 5"])
        #expect(scenario.send(adjust("g3", "1"))["seq"] == 9)
        let line = scenario.send("{'op':'statement','member':'m1','limit':2}")["entries"]?[1]
        #expect(line?["source"] == .null)
        #expect(line?["at"] == "2026-11-01T10:00:11Z")
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("One tick expires all that is due, in the order of time") func oneTickForAll() {
        var scenario = wallet(lifetime: "PT10S")
        scenario.setUp(
            adjust("g1", "1"), "{'op':'currency.put','currency':'PTS','lifetime':'PT5S'}", adjust("g2", "2"),
            "{'op':'workspace.put','workspace':'other'}",
            "{'op':'currency.put','workspace':'other','currency':'X','lifetime':'PT1S'}",
            "{'op':'member.put','workspace':'other','member':'n1'}",
            "{'op':'adjust','workspace':'other','externalId':'g1','member':'n1','currency':'X','amount':'9'}")
        scenario.wait(60)
        #expect(scenario.send("{'op':'member.put','member':'m2'}")["seq"] == 11)
        #expect(scenario.statement("m1").prefix(2) == ["10 expiry -1 0", "10 expiry -2 1"])
        scenario.expect(
            "{'op':'wallet','workspace':'other','member':'n1','lots':true}",
            "{'ok':true,'seq':11,'member':'n1','balances':[{'currency':'X','available':'0','pending':'0','reserved':'0','lots':[]}]}"
        )
    }

    @Test(
        "L09: a lifetime counts months with the day clamped, then days, then time",
        arguments: [
            ("2024-01-31T12:00:00Z", "P1M", "2024-02-29T12:00:00Z"),
            ("2026-01-31T12:00:00Z", "P1M", "2026-02-28T12:00:00Z"),
            ("2024-02-29T12:00:00Z", "P1Y", "2025-02-28T12:00:00Z"),
            ("2026-03-28T23:30:00+01:00", "P1D", "2026-03-29T22:30:00Z"),
            ("2026-12-31T23:59:59.5Z", "P1Y1M1W1DT1H1M0S", "2028-02-09T01:00:59.5Z"),
            ("2026-01-31T00:00:00Z", "P1M1D", "2026-03-01T00:00:00Z"),
        ]) func lifetimesAddUp(at: String, lifetime: String, expires: String)
    {
        var scenario = Scenario()
        scenario.time = 0
        scenario.setUp(
            "{'op':'currency.put','currency':'PTS','lifetime':'\(lifetime)'}", "{'op':'member.put','member':'m1'}",
            "{'op':'plan.put','plan':{'plan':'p','bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'PTS','amount':'1'}]}]}}",
            "{'op':'action','externalId':'a','performer':'m1','type':'signup','at':'\(at)'}")
        #expect(scenario.lots("m1") == ["1 \(expires) a"])
    }

    @Test("A backdated reward that has expired already comes and goes in one command") func bornExpired() {
        var scenario = wallet(lifetime: "P1D")
        scenario.setUp(
            """
            {'op':'plan.put','plan':{'plan':'p','bonuses':[{'bonus':'b','rewards':[
            {'to':'performer','currency':'PTS','amount':'4'},{'to':'performer','currency':'PTS','amount':'5','lifetime':'P1Y'},
            {'to':'performer','currency':'PTS','amount':'6'}]}]}}
            """,
            "{'op':'action','externalId':'a','performer':'m1','type':'signup','at':'2026-10-31T10:00:00Z'}")
        // The lot of 4 and 6 is one, and it expires behind all credits.
        #expect(scenario.statement("m1") == ["4 expiry -10 5", "4 reward 6 15", "4 reward 5 9", "4 reward 4 4"])
        #expect(scenario.lots("m1") == ["5 2027-10-31T10:00:00Z a"])
        // A reversal finds its own lot gone and takes what else there is.
        #expect(
            scenario.rewards("{'op':'reverse','externalId':'r','of':'a'}") == [
                "m1 -4 PTS@0", "m1 -1 PTS@0 short 4", "m1 0 PTS@0 short 6",
            ])
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("L16: the undated lot names its source as long as there is one") func undatedSource() {
        var scenario = Scenario()
        scenario.setUp("{'op':'currency.put','currency':'PTS'}", "{'op':'member.put','member':'m1'}", adjust("g1", "5"))
        #expect(scenario.lots("m1") == ["5 - g1"])
        scenario.setUp(redeem("s1", "4"), adjust("g2", "1"))
        #expect(scenario.lots("m1") == ["2 - -"])
        scenario.setUp(redeem("s2", "2"), adjust("g3", "8"))
        #expect(scenario.lots("m1") == ["8 - g3"])
        #expect(scenario.send(adjust("g4", "-3"))["ok"] == true)
        #expect(scenario.lots("m1") == ["5 - g3"])
        scenario.refuse(adjust("g5", "-6"), "insufficient_funds", "amount")
        scenario.refuse(adjust("g5", "0"), "amount_out_of_range", "amount")
        scenario.refuse(redeem("g5", "-1"), "amount_out_of_range", "amount")
        scenario.refuse(redeem("g5", "0.5"), "amount_out_of_range", "amount")
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("Adjustments and redemptions tell who and why, and when it happened") func transfersInTheStatement() {
        var scenario = Scenario()
        scenario.setUp(
            "{'op':'currency.put','currency':'EUR','kind':'money'}", "{'op':'member.put','member':'m1'}",
            "{'op':'adjust','externalId':'g1','member':'m1','currency':'EUR','amount':5.5,'reason':'goodwill','at':'2026-10-01T00:00:00+02:00'}"
        )
        scenario.expect(
            "{'op':'statement','member':'m1'}",
            """
            {'ok':true,'seq':3,'next':null,'entries':[{'seq':3,'at':'2026-09-30T22:00:00Z','recorded':'2026-11-01T10:00:00Z',
            'currency':'EUR','amount':'5.50','balance':'5.50','kind':'adjustment','plan':null,'version':null,'bonus':null,
            'level':null,'source':{'member':'m1','externalId':'g1'},'description':'goodwill'}]}
            """)
    }
}
