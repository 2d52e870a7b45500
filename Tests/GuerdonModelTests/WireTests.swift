import GuerdonModel
import Testing

/// Line, code (`|` between those that are allowed), field (empty: left open).
private let refusedLines: [(String, String, String)] = [
    ("", "bad_json", ""), ("{", "bad_json", ""), ("{}x", "bad_json", ""), ("{'op':'ping',}", "bad_json", ""),
    ("{'op':'ping'}{'op':'ping'}", "bad_json", ""), ("{'op':'\\ud800'}", "bad_json", ""),
    ("{'op':'a\tb'}", "bad_json", ""), ("[]", "bad_json|bad_request", ""),
    ("{'op':'ping','op':'ping'}", "bad_json|bad_request", ""),
    (
        "{'op':'ping','x':\(String(repeating: "[", count: 16))\(String(repeating: "]", count: 16))}",
        "bad_json|bad_request|limit_exceeded", ""
    ),
    ("{}", "bad_request", "op"), ("{'op':5}", "bad_request", "op"), ("{'op':'pong'}", "unknown_op", ""),
    ("{'op':'stats','id':1.5}", "bad_request", "id"), ("{'op':'stats','id':true}", "bad_request", "id"),
    ("{'op':'stats','workspace':''}", "bad_request", "workspace"), ("{'op':'stats','x':1}", "bad_request", "x"),
    ("{'op':'redeem','member':'m1','currency':'EUR','amount':1}", "bad_request", "externalId"),
    ("{'op':'redeem','externalId':'r','member':'m1','currency':'EUR'}", "bad_request", "amount"),
    ("{'op':'redeem','externalId':'r','member':'m1','currency':'EUR','amount':1e0}", "bad_request", "amount"),
    ("{'op':'redeem','externalId':'r','member':'m1','currency':'EUR','amount':'01'}", "bad_request", "amount"),
    (
        "{'op':'redeem','externalId':'r','member':'m1','currency':'EUR','amount':'9223372036854775808'}",
        "amount_out_of_range", "amount"
    ),
    ("{'op':'action','externalId':'a','performer':'m1','type':'t','currency':'EUR'}", "bad_request", ""),
    ("{'op':'action','externalId':'a','performer':'m1','type':'t','at':'2026-11-01T10:00:00'}", "bad_request", "at"),
    ("{'op':'action','externalId':'a','performer':'m1','type':'t','at':'1677-12-31T23:59:59Z'}", "bad_request", "at"),
    ("{'op':'action','externalId':'a','performer':'m1','type':'t','attributes':{'a':1e2}}", "bad_request", ""),
    ("{'op':'workspace.put','timeZone':'Mars/Olympus'}", "bad_request", "timeZone"),
    ("{'op':'workspace.put','referralCode':'REF'}", "bad_request", "referralCode"),
    ("{'op':'currency.put','currency':'X','lifetime':'P0D'}", "bad_request", "lifetime"),
    ("{'op':'currency.put','currency':'X','scale':7}", "bad_request", "scale"),
    ("{'op':'board.top','board':'b','limit':1001}", "bad_request", "limit"),
    ("{'op':'stats','x':'LONG'}", "line_too_long", ""),
]

/// Lines, ids, workspaces, amounts: I03 I10 I12–I15 I29 W10 W11, P6 P18.
@Suite struct WireTests {
    private func shop() -> Scenario {
        var scenario = Scenario()
        scenario.setUp(
            "{'op':'currency.put','currency':'EUR','kind':'money'}", "{'op':'member.put','member':'m1'}",
            "{'op':'plan.put','plan':{'plan':'p','bonuses':[{'bonus':'b','rewards':[{'to':'performer','currency':'EUR','rate':'10%'}]}]}}"
        )
        return scenario
    }

    private let order =
        "{'op':'action','externalId':'o1','performer':'m1','type':'purchase','value':'12.30','currency':'EUR','at':'2026-11-01T10:00:00Z','attributes':{'a':1,'b':'x'}}"

    @Test("W11 P6: the same id with the same content is done once") func duplicatesAreDoneOnce() {
        var scenario = shop()
        #expect(scenario.rewards(order) == ["m1 1.23 EUR@0"])
        let same = [
            order, order.replacing("'12.30'", with: "12.3"), order.replacing("10:00:00Z", with: "11:00:00+01:00"),
            order.replacing("{'a':1,'b':'x'}", with: "{'b':'x','a':1}"),
            order.replacing("{'op'", with: "{'id':'z','op'"),
            order.replacing("{'op'", with: "{'workspace':'main','op'"),
            order.replacing("'at'", with: "'title':null,'at'"),
        ]
        for (index, line) in same.enumerated() {
            let reply = scenario.send(line)
            #expect(reply["duplicate"] == true && reply["seq"] == 4, "\(line)")
            #expect(scenario.model.lastSequence == 5 + index)
        }
        let other = [
            order.replacing("'12.30'", with: "12.31"), order.replacing("'at':'2026-11-01T10:00:00Z',", with: ""),
            order.replacing("'a':1", with: "'a':2"), order.replacing("purchase", with: "sale"),
            order.replacing("m1", with: "nobody"), order.replacing("'at'", with: "'title':'x','at'"),
            "{'op':'redeem','externalId':'o1','member':'m1','currency':'EUR','amount':1}",
        ]
        for line in other { scenario.refuse(line, "conflict", "externalId") }
        #expect(scenario.send("{'op':'wallet','member':'m1'}")["balances"]?[0]?["available"] == "1.23")
    }

    @Test("Checks come in a fixed order, and a refused id may be tried again") func orderOfChecks() {
        var scenario = shop()
        let base = "{'op':'action','externalId':'o1','performer':'nobody','type':'t','value':'1.234','currency':'X'}"
        scenario.refuse(base, "unknown_member", "performer")
        scenario.refuse(base.replacing("nobody", with: "m1"), "unknown_currency", "currency")
        let scaled = base.replacing("nobody", with: "m1").replacing("'X'", with: "'EUR'")
        scenario.refuse(scaled, "amount_out_of_range", "value")
        scenario.refuse(scaled.replacing("1.234", with: "-1"), "amount_out_of_range", "value")
        // Zeros at the end are decimals as well.
        scenario.refuse(scaled.replacing("1.234", with: "1.230"), "amount_out_of_range", "value")
        #expect(scenario.rewards(scaled.replacing("1.234", with: "1.23")) == ["m1 0.12 EUR@0"])
        #expect(scenario.model.lastSequence == 9)
    }

    @Test("A bad line is not in the log and harms nothing beside it", arguments: refusedLines)
    func badLines(line: String, code: String, field: String) {
        var scenario = shop()
        let reply = scenario.send(line.replacing("LONG", with: String(repeating: "y", count: 70_000)))
        #expect(reply["ok"] == false)
        let wanted: JSON =
            code.contains("|") ? .oneOf(code.split(separator: "|").map { .text(String($0)) }) : .text(code)
        #expect(reply["error"]?["code"] == wanted, "\(reply.line)")
        #expect(reply["error"]?["field"] ?? .anything == (field.isEmpty ? .anything : .text(field)), "\(reply.line)")
        #expect(scenario.model.lastSequence == 3)
    }

    @Test("I29 P18: nothing crosses a workspace") func workspacesAreClosed() {
        var scenario = shop()
        scenario.setUp("{'op':'workspace.put','workspace':'w2'}")
        scenario.refuse("{'op':'wallet','workspace':'w2','member':'m1'}", "unknown_member", "member")
        scenario.refuse("{'op':'wallet','workspace':'w3','member':'m1'}", "unknown_workspace", "workspace")
        scenario.refuse("{'op':'member.put','workspace':'w3','member':'m1'}", "unknown_workspace", "workspace")
        // The refused command is in the log.
        #expect(scenario.model.lastSequence == 5)
        scenario.setUp(
            "{'op':'currency.put','workspace':'w2','currency':'EUR','scale':0}", order,
            "{'op':'member.put','workspace':'w2','member':'m1'}",
            order.replacing("{'op'", with: "{'workspace':'w2','op'").replacing("12.30", with: "12"))
        #expect(scenario.send("{'op':'wallet','workspace':'w2','member':'m1'}")["balances"] == [])
        #expect(scenario.send("{'op':'wallet','member':'m1'}")["balances"]?[0]?["available"] == "1.23")
    }

    @Test("Currencies and accounts keep what defines them") func definitionsDoNotChange() {
        var scenario = shop()
        scenario.refuse("{'op':'currency.put','currency':'EUR','scale':3}", "conflict", "scale")
        scenario.refuse("{'op':'currency.put','currency':'EUR','kind':'points'}", "conflict", "kind")
        scenario.setUp(
            "{'op':'currency.put','currency':'PTS'}",
            "{'op':'account.put','account':'a','currency':'EUR','budget':'10.00'}")
        scenario.refuse("{'op':'account.put','account':'a','currency':'PTS'}", "conflict", "currency")
        scenario.refuse("{'op':'account.put','account':'a','budget':'1.001'}", "amount_out_of_range", "budget")
        scenario.refuse("{'op':'account.put','account':'a','budget':'-1'}", "amount_out_of_range", "budget")
        scenario.refuse("{'op':'account.put','account':'b','currency':'X'}", "unknown_currency", "currency")
    }

    @Test("I08: an unknown performer is created where the workspace says so, unless the action is refused")
    func performersAreCreated() {
        var scenario = shop()
        scenario.setUp("{'op':'workspace.put','autoCreateMembers':true,'referralCode':'R{seq}'}")
        let action = "{'op':'action','externalId':'a','performer':'new','type':'t','value':'1','currency':'X'}"
        scenario.refuse(action, "unknown_currency", "currency")
        scenario.refuse("{'op':'member.get','member':'new'}", "unknown_member", "member")
        #expect(scenario.rewards(action.replacing("X", with: "EUR")) == ["new 0.10 EUR@0"])
        #expect(scenario.send("{'op':'member.get','member':'new'}")["referralCode"] == "R2")
        scenario.refuse(
            "{'op':'redeem','externalId':'s','member':'other','currency':'EUR','amount':1}", "unknown_member", "member")
    }
}
