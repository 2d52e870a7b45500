import GuerdonModel
import Testing

/// Reversals, partial and whole: W1 W3, P5 P17.
@Suite struct ReversalTests {
    /// m1 ← m2; PTS per whole euro, 5 % of the value to the level above, a fixed point.
    private func shop(clawback: String = "available", lifetime: String = "") -> Scenario {
        var scenario = Scenario()
        scenario.setUp(
            "{'op':'currency.put','currency':'PTS'}", "{'op':'currency.put','currency':'EUR','kind':'money'}",
            "{'op':'member.put','member':'m1'}", "{'op':'member.put','member':'m2','referrer':'m1'}",
            "{'op':'board.put','board':'all','score':{'currency':'PTS'},'period':'all'}",
            """
            {'op':'plan.put','plan':{'plan':'p','clawback':'\(clawback)','bonuses':[{'bonus':'b','rewards':[
            {'to':'performer','currency':'PTS','per':'1.00','amount':'1'\(lifetime)},
            {'to':'upline','currency':'EUR','levels':[{'rate':'5%'}]},
            {'to':'performer','currency':'PTS','amount':'3'}]}]}}
            """)
        return scenario
    }

    private func buy(_ id: String, _ value: String) -> String {
        "{'op':'action','externalId':'\(id)','performer':'m2','type':'purchase','value':'\(value)','currency':'EUR'}"
    }

    private func back(_ id: String, _ of: String, _ value: String? = nil) -> String {
        "{'op':'reverse','externalId':'\(id)','of':'\(of)'" + (value.map { ",'value':'\($0)'" } ?? "") + "}"
    }

    @Test("W3: parts are computed from what is left, the last part leaves exactly nothing") func partsLeaveNothing() {
        var scenario = shop()
        #expect(scenario.rewards(buy("a", "12.34")) == ["m2 12 PTS@0", "m1 0.62 EUR@1", "m2 3 PTS@0"])
        // Left 7.34: 7 points and 0.367 → 0.37.
        #expect(scenario.rewards(back("r1", "a", "5.00")) == ["m2 -5 PTS@0", "m1 -0.25 EUR@1"])
        // Left 7.00: 7 points and 0.35.
        #expect(scenario.rewards(back("r2", "a", "0.34")) == ["m1 -0.02 EUR@1"])
        #expect(scenario.page("{'op':'board.top','board':'all'}") == ["1 m2 10"])
        scenario.refuse(back("r3", "a", "7.01"), "amount_out_of_range", "value")
        scenario.refuse(back("r3", "a", "0"), "amount_out_of_range", "value")
        scenario.refuse(back("r3", "a", "0.001"), "amount_out_of_range", "value")
        // The fixed points stay until nothing is left.
        #expect(scenario.rewards(back("r3", "a")) == ["m2 -7 PTS@0", "m1 -0.35 EUR@1", "m2 -3 PTS@0"])
        scenario.refuse(back("r4", "a"), "already_reversed", "of")
        scenario.refuse(back("r4", "nothing"), "unknown_action", "of")
        scenario.refuse(back("r4", "r3"), "unknown_action", "of")
        scenario.expect(
            "{'op':'board.top','board':'all'}",
            "{'ok':true,'seq':16,'board':'all','period':'all','ends':null,'total':0,'entries':[]}")
        #expect(scenario.send("{'op':'wallet','member':'m2'}")["balances"]?[0]?["available"] == "0")
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("A reversal is repeated and refused like any command with an id") func reversalsAreIdempotent() {
        var scenario = shop()
        scenario.setUp(buy("a", "10"))
        #expect(scenario.send(back("r1", "a", "4"))["seq"] == 8)
        scenario.expect(back("r1", "a", "4.00"), "{'ok':true,'seq':8,'duplicate':true}")
        scenario.refuse(back("r1", "a", "5"), "conflict", "externalId")
        scenario.refuse(back("a", "a"), "conflict", "externalId")
        #expect(scenario.rewards(back("r2", "a")) == ["m2 -6 PTS@0", "m1 -0.30 EUR@1", "m2 -3 PTS@0"])
    }

    @Test("W1: what is spent is a shortfall; boards lose the whole reward") func spentPointsAreAShortfall() {
        var scenario = shop()
        scenario.setUp(
            buy("a", "10"),
            "{'op':'redeem','externalId':'s','member':'m2','currency':'PTS','amount':'9','reason':'mug'}")
        // 13 earned, 9 spent: of the 10 due first 4 are there, of the 3 due then none.
        #expect(
            scenario.rewards(back("r", "a")) == [
                "m2 -4 PTS@0 short 6", "m1 -0.50 EUR@1", "m2 0 PTS@0 short 3",
            ])
        #expect(
            scenario.statement("m2") == ["9 reversal -4 0", "8 redemption -9 4", "7 reward 3 13", "7 reward 10 10"])
        #expect(scenario.page("{'op':'board.top','board':'all'}") == [])
        // The shortfall is forgotten: new points are his.
        #expect(scenario.rewards(buy("b", "1")) == ["m2 1 PTS@0", "m1 0.05 EUR@1", "m2 3 PTS@0"])
        #expect(scenario.send("{'op':'wallet','member':'m2'}")["balances"]?[0]?["available"] == "4")
    }

    @Test("A plan may turn it into a debt that later credits pay first") func spentPointsBecomeADebt() {
        var scenario = shop(clawback: "debt")
        scenario.setUp(
            buy("a", "10"), "{'op':'redeem','externalId':'s','member':'m2','currency':'PTS','amount':'9'}")
        #expect(scenario.rewards(back("r", "a")) == ["m2 -10 PTS@0", "m1 -0.50 EUR@1", "m2 -3 PTS@0"])
        scenario.expect(
            "{'op':'wallet','member':'m2','lots':true}",
            "{'ok':true,'seq':9,'member':'m2','balances':[{'currency':'PTS','available':'0','pending':'0','reserved':'0','debt':'9','lots':[]}]}"
        )
        scenario.refuse(
            "{'op':'redeem','externalId':'t','member':'m2','currency':'PTS','amount':'1'}", "insufficient_funds",
            "amount")
        #expect(scenario.rewards(buy("b", "8")) == ["m2 8 PTS@0", "m1 0.40 EUR@1", "m2 3 PTS@0"])
        #expect(
            scenario.statement("m2").prefix(4) == [
                "11 reward 3 2", "11 reward 8 0", "9 reversal -3 0", "9 reversal -10 0",
            ])
        #expect(scenario.lots("m2") == ["2 - b"])
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("It takes from the lot that it credited, then the oldest expiry, the undated lot last") func lotsInOrder() {
        var scenario = shop(lifetime: ",'lifetime':'P1D'")
        scenario.setUp(
            buy("a", "4"),
            "{'op':'currency.put','currency':'PTS','lifetime':'PT1H'}",
            "{'op':'adjust','externalId':'g1','member':'m2','currency':'PTS','amount':'5'}",
            "{'op':'currency.put','currency':'PTS','lifetime':null}",
            "{'op':'adjust','externalId':'g2','member':'m2','currency':'PTS','amount':'6'}")
        #expect(scenario.lots("m2") == ["5 2026-11-01T11:00:00Z g1", "4 2026-11-02T10:00:00Z a", "9 - -"])
        scenario.setUp("{'op':'redeem','externalId':'s','member':'m2','currency':'PTS','amount':'6'}")
        #expect(scenario.lots("m2") == ["3 2026-11-02T10:00:00Z a", "9 - -"])
        scenario.setUp(
            "{'op':'currency.put','currency':'PTS','lifetime':'PT1H'}",
            "{'op':'adjust','externalId':'g3','member':'m2','currency':'PTS','amount':'2'}")
        // 4 are due: 3 from its own lot, then 1 from the oldest; then 3 fixed ones from the undated lot.
        #expect(scenario.rewards(back("r", "a")) == ["m2 -4 PTS@0", "m1 -0.20 EUR@1", "m2 -3 PTS@0"])
        #expect(scenario.lots("m2") == ["1 2026-11-01T11:00:00Z g3", "6 - -"])
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("The version, rounding and conditions that paid also take back") func thePastDecides() {
        var scenario = shop()
        scenario.setUp(
            buy("a", "10.10"), "{'op':'currency.put','currency':'EUR','rounding':'up'}",
            "{'op':'plan.put','plan':{'plan':'p','audience':'false','bonuses':[]}}")
        // 5 % of 10.10 is 0.505 → 0.51; of 10.05 it is 0.5025 → 0.50 with the rounding of then.
        #expect(scenario.rewards(back("r", "a", "0.05")) == ["m1 -0.01 EUR@1"])
        #expect(scenario.statement("m1").first == "10 reversal -0.01 0.50")
    }

    @Test("An event is reversed as a whole; a value for it is out of range") func eventsAreReversedWhole() {
        var scenario = shop()
        #expect(scenario.rewards("{'op':'action','externalId':'e','performer':'m2','type':'visit'}") == ["m2 3 PTS@0"])
        scenario.refuse(back("r", "e", "1"), "amount_out_of_range", "value")
        #expect(scenario.rewards(back("r", "e")) == ["m2 -3 PTS@0"])
        scenario.refuse(back("r2", "e"), "already_reversed", "of")
        scenario.setUp(buy("zero", "0"))
        #expect(scenario.rewards(back("r3", "zero")) == ["m2 -3 PTS@0"])
        scenario.refuse(back("r4", "zero"), "already_reversed", "of")
    }
}
