import GuerdonModel
import Testing

/// Int64 edges are refusals, never traps: W24, P1.
@Suite struct EdgeTests {
    private let max = "9223372036854775807"

    private func shop(_ reward: String) -> Scenario {
        var scenario = Scenario()
        scenario.setUp(
            "{'op':'currency.put','currency':'PTS'}", "{'op':'currency.put','currency':'EUR','kind':'money'}",
            "{'op':'member.put','member':'m1'}",
            "{'op':'plan.put','plan':{'plan':'p','bonuses':[{'bonus':'b','rewards':[\(reward)]}]}}")
        return scenario
    }

    private func buy(_ id: String, _ value: String, _ currency: String) -> String {
        "{'op':'action','externalId':'\(id)','performer':'m1','type':'t','value':'\(value)','currency':'\(currency)'}"
    }

    @Test("All credits of a currency together stay within Int64") func creditsAreBounded() {
        var scenario = shop("{'to':'performer','currency':'PTS','rate':'100%'}")
        #expect(scenario.rewards(buy("a", "9223372036854775806", "PTS")) == ["m1 9223372036854775806 PTS@0"])
        scenario.refuse(buy("b", "2", "PTS"), "amount_out_of_range", "value")
        scenario.setUp("{'op':'redeem','externalId':'s','member':'m1','currency':'PTS','amount':'9223372036854775806'}")
        // What was spent was credited all the same.
        scenario.refuse(buy("b", "2", "PTS"), "amount_out_of_range", "value")
        scenario.refuse(
            "{'op':'adjust','externalId':'g','member':'m1','currency':'PTS','amount':2}", "amount_out_of_range",
            "amount")
        scenario.setUp("{'op':'adjust','externalId':'g','member':'m1','currency':'PTS','amount':1}")
        scenario.refuse(
            "{'op':'adjust','externalId':'h','member':'m1','currency':'PTS','amount':'-9223372036854775808'}",
            "insufficient_funds", "amount")
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("A value must fit the currency's least units") func valuesMustFit() {
        var scenario = shop("{'to':'performer','currency':'PTS','amount':'1'}")
        #expect(scenario.rewards(buy("a", "92233720368547758.07", "EUR")) == ["m1 1 PTS@0"])
        scenario.refuse(buy("b", "92233720368547758.08", "EUR"), "amount_out_of_range", "value")
        scenario.refuse(buy("b", "92233720368547759", "EUR"), "amount_out_of_range", "value")
        #expect(scenario.rewards(buy("b", "92233720368547758", "EUR")) == ["m1 1 PTS@0"])
        let plain = "{'op':'action','externalId':'c','performer':'m1','type':'t','value':'9223372036854.775807'}"
        scenario.refuse(plain.replacing(".775807", with: ".775808"), "amount_out_of_range", "value")
        scenario.refuse(plain.replacing(".775807", with: ".7758070"), "amount_out_of_range", "value")
        #expect(scenario.rewards(plain) == ["m1 1 PTS@0"])
    }

    @Test(
        "An amount beyond Int64 refuses the action, and the largest one is exact",
        arguments: [
            ("'rate':'1'", "9223372036854775807", "9223372036854775807"), ("'rate':'100%'", "1", "1"),
            ("'rate':'2'", "4611686018427387903", "9223372036854775806"), ("'rate':'2'", "4611686018427387904", ""),
            ("'rate':'50%'", "9223372036854775807", "4611686018427387904"),
            ("'per':'0.000001','amount':'1'", "9223372036854", "9223372036854000000"),
            ("'per':'0.000001','amount':'1'", "9223372036855", ""),
            ("'per':'1','amount':'3'", "3074457345618258602", "9223372036854775806"),
            ("'per':'1','amount':'3'", "3074457345618258603", ""),
            ("'rate':'1','exchange':'0.000000001'", "9223372036854775807", "9223372037"),
            ("'rate':'9223372036854775807','exchange':'9223372036854775807'", "9223372036854775807", ""),
            ("'rate':'9223372036854775807','exchange':'9223372036854775807'", "0", "0"),
            ("'amount':'9223372036854775807'", "0", "9223372036854775807"),
        ]) func amountsAreBounded(form: String, value: String, paid: String)
    {
        var scenario = shop("{'to':'performer','currency':'PTS',\(form)}")
        if paid.isEmpty {
            scenario.refuse(buy("a", value, "PTS"), "amount_out_of_range", "value")
            scenario.refuse("{'op':'reverse','externalId':'r','of':'a'}", "unknown_action", "of")
        } else {
            #expect(scenario.rewards(buy("a", value, "PTS")) == (paid == "0" ? [] : ["m1 \(paid) PTS@0"]))
            let back = scenario.rewards("{'op':'reverse','externalId':'r','of':'a'}")
            #expect(back == (paid == "0" ? [] : ["m1 -\(paid) PTS@0"]))
        }
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("Scores beyond 2^53 are exact") func largeScoresAreExact() {
        var scenario = shop("{'to':'performer','currency':'PTS','rate':'1'}")
        scenario.setUp(
            "{'op':'member.put','member':'m2'}",
            "{'op':'board.put','board':'b','score':{'currency':'PTS'},'period':'all'}",
            buy("a", "9007199254740992", "PTS"), buy("b", "9007199254740993", "PTS").replacing("m1", with: "m2"),
            buy("c", "9007199254740993", "PTS").replacing("'b'", with: "'c'"))
        #expect(
            scenario.page("{'op':'board.top','board':'b'}") == ["1 m1 18014398509481985", "2 m2 9007199254740993"])
    }

    @Test("A lifetime that leaves the calendar is no lifetime") func endlessLifetimes() {
        var scenario = shop("{'to':'performer','currency':'PTS','amount':'1','lifetime':'P90000Y'}")
        scenario.setUp("{'op':'action','externalId':'a','performer':'m1','type':'t'}")
        #expect(scenario.lots("m1") == ["1 - a"])
    }
}
