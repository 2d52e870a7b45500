import GuerdonModel
import Testing

/// Uplines, codes and cycles: I16, O01, O02, O06–O10, O13, O14, O18, O21.
@Suite struct ReferralTests {
    private func chain(_ count: Int, _ plan: String) -> Scenario {
        var scenario = Scenario()
        scenario.setUp("{'op':'currency.put','currency':'EUR','kind':'money'}", "{'op':'member.put','member':'m1'}")
        for number in 1..<count {
            scenario.setUp("{'op':'member.put','member':'m\(number + 1)','referrer':'m\(number)'}")
        }
        scenario.setUp("{'op':'plan.put','plan':{'plan':'p','bonuses':[{'bonus':'b','rewards':[\(plan)]}]}}")
        return scenario
    }

    @Test("O13 P14: amounts and rates mix over the levels") func levelsMixAmountsAndRates() {
        var scenario = chain(
            5, "{'to':'upline','currency':'EUR','levels':[{'rate':'5%'},{'rate':'0.03'},{'amount':'0.10'}]}")
        // 5 % of 12.34 is 0.617, 3 % is 0.3702; the fourth level above gets nothing.
        #expect(
            scenario.rewards(
                "{'op':'action','externalId':'a1','performer':'m5','type':'purchase','value':'12.34','currency':'EUR'}")
                == ["m4 0.62 EUR@1", "m3 0.37 EUR@2", "m2 0.10 EUR@3"])
        // Near the root the missing levels are skipped.
        #expect(
            scenario.rewards(
                "{'op':'action','externalId':'a2','performer':'m2','type':'purchase','value':'12.34','currency':'EUR'}")
                == ["m1 0.62 EUR@1"])
        // O18: an event pays fixed amounts only.
        #expect(
            scenario.rewards("{'op':'action','externalId':'a3','performer':'m5','type':'visit'}")
                == ["m2 0.10 EUR@3"])
        #expect(scenario.model.checkInvariants() == [])
    }

    @Test("O14: fifty levels are credited") func fiftyLevelsAreCredited() {
        let levels = (1...50).map { "{'amount':'\($0).00'}" }.joined(separator: ",")
        var scenario = chain(51, "{'to':'upline','currency':'EUR','levels':[\(levels)]}")
        let rewards = scenario.rewards("{'op':'action','externalId':'a1','performer':'m51','type':'signup'}")
        #expect(rewards == (1...50).map { "m\(51 - $0) \($0).00 EUR@\($0)" })
    }

    @Test("O01 O02: each referral pays a flat amount, none twice") func flatAmountPerReferral() {
        var scenario = chain(1, "{'to':'upline','currency':'EUR','levels':[{'amount':'10'}]}")
        for friend in ["f1", "f2"] {
            scenario.setUp("{'op':'member.put','member':'\(friend)','referrer':'m1'}")
            let signup = "{'op':'action','externalId':'s-\(friend)','performer':'\(friend)','type':'signup'}"
            #expect(scenario.rewards(signup) == ["m1 10.00 EUR@1"])
            #expect(scenario.send(signup)["duplicate"] == true)
        }
        scenario.expect(
            "{'op':'wallet','member':'m1'}",
            "{'ok':true,'seq':9,'member':'m1','balances':[{'currency':'EUR','available':'20.00','pending':'0.00','reserved':'0.00'}]}"
        )
        scenario.expect(
            "{'op':'downline','member':'m1'}",
            "{'ok':true,'seq':9,'entries':[{'level':1,'member':'f1'},{'level':1,'member':'f2'}]}")
    }

    @Test("O09 P12: loops and oneself are refused") func loopsAreRefused() {
        var scenario = chain(3, "{'to':'performer','currency':'EUR','amount':'1'}")
        scenario.refuse("{'op':'member.put','member':'m1','referrer':'m3'}", "cycle", "referrer")
        scenario.refuse("{'op':'member.put','member':'m1','referrer':'m1'}", "self_referral", "referrer")
        scenario.refuse("{'op':'member.put','member':'new','referrer':'new'}", "self_referral", "referrer")
        scenario.refuse("{'op':'member.put','member':'m3','referrer':'m1'}", "already_referred", "referrer")
        scenario.refuse("{'op':'member.put','member':'m3','referrer':null}", "already_referred", "referrer")
        scenario.refuse("{'op':'member.put','member':'m4','referrer':'nobody'}", "unknown_member", "referrer")
        scenario.refuse("{'op':'member.get','member':'m4'}", "unknown_member", "member")
        #expect(scenario.send("{'op':'member.put','member':'m3','referrer':'m2'}")["created"] == false)
        scenario.expect(
            "{'op':'upline','member':'m3','levels':1}",
            "{'ok':true,'seq':12,'entries':[{'level':1,'member':'m2'}]}")
    }

    @Test("O06 O07 O10 O21: codes by template and by hand name the inviter") func codesNameTheInviter() {
        var scenario = Scenario()
        scenario.setUp("{'op':'member.put','member':'m1'}", "{'op':'workspace.put','referralCode':'REF-{seq}!'}")
        #expect(scenario.send("{'op':'member.put','member':'m1'}")["referralCode"] == .null)
        #expect(scenario.send("{'op':'member.put','member':'m2'}")["referralCode"] == "REF-2!")
        #expect(scenario.send("{'op':'member.put','member':'m3','referralCode':'REF-2!'}")["referralCode"] == "REF-3!")
        #expect(scenario.send("{'op':'member.get','member':'m3'}")["referrer"] == "m2")
        #expect(scenario.send("{'op':'member.put','member':'m1','code':'ADA'}")["referralCode"] == "ADA")
        scenario.setUp("{'op':'member.put','member':'m4','referralCode':'ADA','referrer':'m1'}")
        scenario.refuse("{'op':'member.put','member':'m5','referralCode':'REF-02!'}", "unknown_member", "referralCode")
        scenario.refuse("{'op':'member.put','member':'m1','referralCode':'ADA'}", "self_referral", "referralCode")
        scenario.refuse("{'op':'member.put','member':'m5','referralCode':'ADA','referrer':'m2'}", "bad_request", "")
        // A vanity code may be neither taken nor one that a template can make.
        scenario.refuse("{'op':'member.put','member':'m2','code':'ADA'}", "conflict", "code")
        scenario.refuse("{'op':'member.put','member':'m2','code':'REF-900!'}", "conflict", "code")
        scenario.setUp(
            "{'op':'member.put','member':'m2','code':'REF-2!'}", "{'op':'member.put','member':'m2','code':'REF-0900!'}",
            "{'op':'member.put','member':'m5','referralCode':'REF-2!'}")
        #expect(scenario.send("{'op':'member.get','member':'m5'}")["referrer"] == "m2")
        scenario.setUp("{'op':'member.put','member':'m2','code':null}")
        #expect(scenario.send("{'op':'member.get','member':'m2'}")["referralCode"] == "REF-2!")
    }

    @Test("I03: the same member put twice is one member; null clears, absent stays") func putTwiceIsOneMember() {
        var scenario = Scenario()
        scenario.expect(
            "{'id':'x','op':'member.put','member':'m1','name':'Ada','tags':['b','a','b'],'attributes':{'age':36,'region':'north','w':1.50}}",
            "{'id':'x','ok':true,'seq':1,'created':true,'referralCode':null}")
        scenario.expect(
            "{'op':'member.put','member':'m1','birthday':'1990-02-28','attributes':{'age':null,'x':[1,{'y':true}]}}",
            "{'ok':true,'seq':2,'created':false,'referralCode':null}")
        scenario.expect(
            "{'op':'member.get','member':'m1'}",
            """
            {'ok':true,'seq':2,'member':'m1','name':'Ada','email':null,'phone':null,'birthday':'1990-02-28',
            'registered':null,'kind':null,'tags':['a','b'],'attributes':{'region':'north','w':1.5,'x':[1,{'y':true}]},
            'referrer':null,'referralCode':null}
            """)
        scenario.refuse("{'op':'member.put','member':'m1','birthday':'1990-02-29'}", "bad_request", "birthday")
        scenario.refuse("{'op':'member.put','member':''}", "bad_request", "member")
    }

    @Test("Ids are compared as bytes") func idsAreBytes() {
        var scenario = Scenario()
        scenario.setUp("{'op':'member.put','member':'caf\u{e9}'}")
        #expect(scenario.send("{'op':'member.put','member':'cafe\u{301}'}")["created"] == true)
    }
}
