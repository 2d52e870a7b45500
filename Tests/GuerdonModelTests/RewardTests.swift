import GuerdonModel
import Testing

/// Plans, bonuses and rewards: I06 I07 I13 I18 I21–I23, L08 L10 L11, P10 P14.
@Suite struct RewardTests {
    /// A workspace with PTS (scale 0) and EUR (scale 2) of this rounding, members m1 ← m2 ← m3, and one plan.
    private func shop(_ plan: String, rounding: String = "halfUp") -> Scenario {
        var scenario = Scenario()
        scenario.setUp(
            "{'op':'currency.put','currency':'PTS','rounding':'\(rounding)'}",
            "{'op':'currency.put','currency':'EUR','kind':'money','rounding':'\(rounding)'}",
            "{'op':'account.put','account':'acme','currency':'PTS','budget':'20'}",
            "{'op':'member.put','member':'m1','tags':['vip']}", "{'op':'member.put','member':'m2','referrer':'m1'}",
            "{'op':'member.put','member':'m3','referrer':'m2'}")
        scenario.setUp("{'op':'plan.put','plan':{'plan':'p',\(plan)}}")
        return scenario
    }

    private func buy(_ id: String, _ value: String, by member: String = "m3", more: String = "") -> String {
        "{'op':'action','externalId':'\(id)','performer':'\(member)','type':'purchase','value':'\(value)','currency':'EUR'\(more)}"
    }

    @Test(
        "P14: a share is rounded by the currency's rule",
        arguments: [
            // 5 % of 0.10 is 0.005, of 0.30 is 0.015, of 0.11 is 0.0055.
            ("halfUp", ["0.01", "0.02", "0.01"]), ("halfEven", ["0.02", "0.01"]), ("halfDown", ["0.01", "0.01"]),
            ("up", ["0.01", "0.02", "0.01"]), ("down", ["0.01"]),
        ]) func sharesAreRounded(rounding: String, paid: [String])
    {
        var scenario = shop(
            "'bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'EUR','rate':'5%'}]}]", rounding: rounding)
        let all = ["0.10", "0.30", "0.11"].enumerated().flatMap { scenario.rewards(buy("a\($0)", $1)) }
        #expect(all == paid.map { "m3 \($0) EUR@0" })
    }

    @Test("A reward per unit counts whole units; the exchange comes first") func perUnitCountsWholeUnits() {
        var scenario = shop(
            """
            'bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'PTS','per':'2.50','amount':'3'},
            {'to':'performer','currency':'PTS','per':'2.50','amount':'1','exchange':'4.2'},
            {'to':'performer','currency':'PTS','rate':'0.5','exchange':'0.25'}]}]
            """)
        // 12.34 / 2.5 = 4.9; 12.34 × 4.2 = 51.828, / 2.5 = 20.7; 12.34 × 0.5 × 0.25 = 1.5425.
        #expect(scenario.rewards(buy("a1", "12.34")) == ["m3 12 PTS@0", "m3 20 PTS@0", "m3 2 PTS@0"])
        // P10: the threshold itself counts.
        #expect(scenario.rewards(buy("a2", "2.50")) == ["m3 3 PTS@0", "m3 4 PTS@0"])
        // I07: an event has no value to take a share of.
        #expect(scenario.rewards("{'op':'action','externalId':'a3','performer':'m3','type':'visit'}") == [])
    }

    @Test("I18 I21 I22: bonuses in order, each on its own condition") func bonusesInOrder() {
        var scenario = shop(
            """
            'audience':'member.kind != `staff`','bonuses':[
            {'bonus':'big','when':'action.value >= 10','rewards':[{'to':'performer','currency':'PTS','amount':'2'},
            {'to':'performer','tag':'welcomed'}]},
            {'bonus':'again','when':'!(`welcomed` in member.tags)','rewards':[{'to':'performer','currency':'PTS','amount':'7'}]},
            {'bonus':'web','when':'action.attributes.channel == `web`','rewards':[{'to':'performer','currency':'EUR','amount':'0.5'}]}]
            """)
        #expect(scenario.rewards(buy("a1", "9.99")) == ["m3 7 PTS@0"])
        // I06: the tag granted by the first bonus is seen by the second in the same action.
        #expect(scenario.rewards(buy("a2", "10")) == ["m3 2 PTS@0"])
        #expect(scenario.send("{'op':'member.get','member':'m3'}")["tags"] == ["welcomed"])
        // A missing key fails, and a failure counts as false.
        #expect(
            scenario.rewards(buy("a3", "1", by: "m2", more: ",'attributes':{'channel':'web'}")) == [
                "m2 7 PTS@0", "m2 0.50 EUR@0",
            ])
        scenario.setUp("{'op':'member.put','member':'m3','kind':'staff'}")
        #expect(scenario.rewards(buy("a4", "10")) == [])
    }

    @Test("A condition about the recipient is asked for each of them") func conditionsPerRecipient() {
        var scenario = shop(
            """
            'bonuses':[{'bonus':'b','when':'level == 1 || `vip` in recipient.tags','rewards':[
            {'to':'performer','currency':'PTS','amount':'1'},
            {'to':'upline','currency':'PTS','levels':[{'amount':'2'},{'amount':'3'},{'amount':'4'}]}]}]
            """)
        #expect(scenario.rewards(buy("a1", "1")) == ["m2 2 PTS@1", "m1 3 PTS@2"])
        scenario.setUp("{'op':'member.put','member':'m1','tags':[]}")
        #expect(scenario.rewards(buy("a2", "1")) == ["m2 2 PTS@1"])
        #expect(scenario.rewards(buy("a3", "1", by: "m1")) == [])
    }

    @Test("L10: the account pays within its budget or the whole action is refused") func budgetsBind() {
        var scenario = shop(
            """
            'funding':'acme','bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'PTS','rate':'1'},
            {'to':'performer','currency':'EUR','amount':'1'}]}]
            """)
        #expect(scenario.rewards(buy("a1", "15")) == ["m3 15 PTS@0", "m3 1.00 EUR@0"])
        scenario.refuse(buy("a2", "6"), "budget_exhausted", "funding")
        // Refused commands leave no trace: the id may be tried again. The last point fits exactly.
        #expect(scenario.rewards(buy("a2", "5")) == ["m3 5 PTS@0", "m3 1.00 EUR@0"])
        scenario.refuse(buy("a3", "1"), "budget_exhausted", "funding")
        #expect(scenario.rewards(buy("a4", "0")) == ["m3 1.00 EUR@0"])
        // What a reversal brings back can be spent again.
        scenario.setUp("{'op':'reverse','externalId':'r1','of':'a2','value':'2'}")
        #expect(scenario.rewards(buy("a5", "2")) == ["m3 2 PTS@0", "m3 1.00 EUR@0"])
        scenario.setUp("{'op':'account.put','account':'acme','budget':null}")
        #expect(scenario.rewards(buy("a6", "1000")) == ["m3 1000 PTS@0", "m3 1.00 EUR@0"])
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("I13: a plan covers actions by the time when they happened") func plansCoverOccurrence() {
        var scenario = Scenario()
        scenario.setUp(
            "{'op':'workspace.put','timeZone':'Europe/Warsaw'}", "{'op':'currency.put','currency':'PTS'}",
            "{'op':'member.put','member':'m3'}",
            """
            {'op':'plan.put','plan':{'plan':'p','starts':'2026-10-25','ends':'2026-10-26T00:00:00.5Z',
            'bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'PTS','amount':'1'}]}]}}
            """, "{'op':'currency.put','currency':'EUR','kind':'money'}")
        let times = [
            // The day begins at 22:00 UTC, still in summer time.
            ("2026-10-24T23:59:59.999999999+02:00", 0), ("2026-10-25T00:00:00+02:00", 1),
            ("2026-10-26T00:00:00.499999999Z", 1), ("2026-10-26T01:00:00.5+01:00", 0),
        ]
        for (time, count) in times {
            #expect(scenario.rewards(buy("a-\(time)", "1", more: ",'at':'\(time)'")).count == count, "\(time)")
        }
        scenario.setUp("{'op':'plan.end','plan':'p','at':'2026-10-25T12:00:00Z'}")
        #expect(scenario.rewards(buy("b1", "1", more: ",'at':'2026-10-25T12:00:00Z'")) == [])
        #expect(scenario.rewards(buy("b2", "1", more: ",'at':'2026-10-25T11:59:59Z'")).count == 1)
        scenario.refuse("{'op':'plan.end','plan':'q'}", "unknown_plan", "plan")
    }

    @Test("Each put of a plan is a new version, in force from then on") func versionsReplaceOneAnother() {
        var scenario = shop(
            "'bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'PTS','amount':'1','description':'Hello'}]}]"
        )
        #expect(scenario.rewards(buy("a1", "1")) == ["m3 1 PTS@0"])
        scenario.expect(
            "{'op':'plan.put','plan':{'plan':'p','bonuses':[{'bonus':'c','rewards':[{'to':'performer','currency':'PTS','amount':'5'}]}]}}",
            "{'ok':true,'seq':9,'plan':'p','version':2}")
        #expect(scenario.rewards(buy("a2", "1")) == ["m3 5 PTS@0"])
        // L11 W30 W34: what was paid keeps the version that paid it, each line the balance behind it.
        scenario.expect(
            "{'op':'statement','member':'m3','currency':'PTS'}",
            """
            {'ok':true,'seq':10,'next':null,'entries':[
            {'seq':10,'at':'2026-11-01T10:00:00Z','recorded':'2026-11-01T10:00:00Z','currency':'PTS','amount':'5',
            'balance':'6','kind':'reward','plan':'p','version':2,'bonus':'c','level':0,
            'source':{'member':'m3','externalId':'a2'},'description':null},
            {'seq':8,'at':'2026-11-01T10:00:00Z','recorded':'2026-11-01T10:00:00Z','currency':'PTS','amount':'1',
            'balance':'1','kind':'reward','plan':'p','version':1,'bonus':'b','level':0,
            'source':{'member':'m3','externalId':'a1'},'description':'Hello'}]}
            """)
    }

    @Test(
        "A plan that makes no sense is refused with the place",
        arguments: [
            ("'bonuses':[{'bonus':'b','when':'action.type ==','rewards':[]}]", "plan_invalid", "plan.bonuses[0].when"),
            ("'audience':'nobody.kind == `x`','bonuses':[]", "plan_invalid", "plan.audience"),
            ("'colour':1,'bonuses':[]", "plan_invalid", "plan.colour"), ("'title':'x'", "plan_invalid", "plan.bonuses"),
            ("'schedule':{'kind':'monthly'},'bonuses':[]", "plan_invalid", ""),
            ("'funding':'nobody','bonuses':[]", "unknown_account", "plan.funding"),
            (
                "'bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'X','amount':'1'}]}]",
                "unknown_currency",
                "plan.bonuses[0].rewards[0].currency"
            ),
            (
                "'bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'PTS','amount':'1.5'}]}]",
                "plan_invalid",
                "plan.bonuses[0].rewards[0].amount"
            ),
            (
                "'bonuses':[{'bonus':'b','rewards':[{'to':'upline','currency':'PTS','levels':[{'rate':'5%'},{'rate':'-1'}]}]}]",
                "plan_invalid", "plan.bonuses[0].rewards[0].levels[1].rate"
            ),
        ]) func invalidPlansAreRefused(plan: String, code: String, field: String)
    {
        var scenario = shop("'bonuses':[]")
        scenario.refuse("{'op':'plan.put','plan':{'plan':'q',\(plan)}}", code, field)
        scenario.refuse("{'op':'plan.end','plan':'q'}", "unknown_plan", "plan")
    }
}
