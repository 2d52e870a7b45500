import GuerdonModel
import Testing

/// Whose a code set by hand is, where a template could make the same.
@Suite struct ReferralCodeTests {
    private static let cases: [[String]] = [
        // A new member may name the code that the template is about to give him.
        [
            #"{"op":"workspace.put","referralCode":"X{seq}Y"}"#, #"{"op":"member.put","member":"a","code":"X1Y"}"#,
            #"{"op":"member.put","member":"b","code":"X3Y"}"#, #"{"op":"member.put","member":"b","code":"X1Y"}"#,
        ],
        // A code that was set before the template stays its member's own, and can be sent again.
        [
            #"{"op":"member.put","member":"a","code":"X7Y"}"#, #"{"op":"workspace.put","referralCode":"X{seq}Y"}"#,
            #"{"op":"member.put","member":"a","code":"X7Y"}"#, #"{"op":"member.put","member":"b","code":"X7Y"}"#,
        ],
    ]

    @Test(arguments: cases)
    func theMembersOwnCodeIsNoConflict(lines: [String]) throws {
        let steps = lines.map { StreamGenerator.Step(time: 1_793_527_200_000_000_000, lines: [$0]) }
        if let difference = try firstDifference(steps, shards: 1) { Issue.record("\(difference)") }
    }
}
