import GuerdonCore
import GuerdonWire
import TestSupport
import Testing

/// Lines that are right, to be broken in every place.
private let valid: [String] = [
    #"{"op":"action","id":7,"externalId":"order-1","performer":"m2","type":"purchase","value":"12.34","currency":"EUR","at":"2026-11-01T10:00:00Z","title":"Order 1"}"#,
    #" { "op" : "action" , "externalId" : "b" , "performer" : "m\u0031" , "type":"p\"x\\" , "value" : -1.50 , "attributes":{"a":[1,2.5,true,{"b":"\ud83d\ude00"}]}}"#,
    #"{"op":"action","externalId":"b","performer":"m","type":"p","attributes":{"z":[1,2.50,{"b":"x","a":{}}],"c":null,"a":true},"value":5}"#,
    #"{ "attributes": {"b": "x, y", "a": [ ] }, "op": "action", "externalId": "b", "performer": "m", "type": "p" }"#,
    #"{"op":"redeem","id":"é","externalId":"spend-1","member":"m2","currency":"PTS","amount":"30","reason":"mug ☕"}"#,
    #"{"op":"plan.put","plan":{"plan":"p","schedule":{"kind":"instant"},"starts":"2026-01-01","ends":null,"bonuses":[{"bonus":"b","rewards":[{"to":"upline","currency":"EUR","levels":[{"rate":"5%"},null,{"amount":0.10}]}]}]}}"#,
    #"{"op":"statement","member":"m2","currency":"PTS","limit":50,"before":null}"#,
]

/// Bytes that mean something to JSON, and some that must not.
private let telling: [UInt8] =
    Array("\"\\{}[]:,0-.eEtfnu \t\r\n/a".utf8) + [0, 0x0c, 0x1a, 0x1f, 0x7f, 0x80, 0xc3, 0xff]

/// A second opinion on whether a line may be taken: it is JSON without doubles, nested at most 16 deep, and what the
/// decoder made of it says the same as the JSON.
private func check(_ bytes: [UInt8], _ decoder: RequestDecoder, _ requests: Requests) -> String? {
    let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map { line in
        line.last == 13 ? Array(line.dropLast()) : Array(line)
    }
    .filter { !$0.isEmpty }
    let decoding = Decoding(bytes, with: decoder, into: requests)
    guard decoding.lines.count == lines.count else { return "\(decoding.lines.count) rows for \(lines.count) lines" }
    for (line, decoded) in zip(lines, decoding.lines) {
        let json = try? StrictJSON(line)
        let isBadJSON = decoded.refusal?.code == .badJson
        if (json == nil) != isBadJSON { return "\(json == nil ? "no JSON" : "JSON") gave \(decoded)" }
        guard let json else { continue }
        if json.hasDoubles, decoded.refusal == nil { return "doubles taken: \(decoded)" }
        if case .command(.action(let action)) = decoded, let fault = difference(action, json) { return fault }
    }
    return nil
}

private func difference(_ action: ActionCommand, _ json: StrictJSON) -> String? {
    func text(_ name: String, _ value: Text?) -> Bool {
        switch json[name] {
        case nil, .null: value == nil
        case .string(let bytes): value?.bytes == bytes
        default: false
        }
    }
    guard text("externalId", action.externalId), text("performer", action.performer), text("type", action.type),
        text("currency", action.currency), text("title", action.title)
    else { return "texts differ: \(action)" }
    guard isSame(action.attributes, json["attributes"] ?? .null) else { return "attributes differ: \(action)" }
    let digits: String? =
        switch json["value"] {
        case .string(let bytes): String(decoding: bytes, as: UTF8.self)
        case .number(let text): text
        default: nil
        }
    guard (digits == nil) == (action.value == nil) else { return "value differs" }
    if let digits, let value = action.value, !isSame(value, digits) { return "value \(value) for \(digits)" }
    return nil
}

private func isSame(_ value: DecimalNumber, _ digits: String) -> Bool {
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    let decimals = parts.count > 1 ? parts[1].count : 0
    return Int64(parts.joined()) == value.coefficient && decimals == Int(value.scale)
}

/// Whether a map has the entries of an object that are not null, in order of their keys.
private func isSame(_ entries: [AttributeEntry], _ json: StrictJSON) -> Bool {
    guard case .object(let members) = json else { return json == .null && entries.isEmpty }
    let kept = members.filter { $0.value != .null }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    return entries.count == kept.count
        && zip(entries, kept).allSatisfy { $0.key.bytes == $1.key && isSame($0.value, $1.value) }
}

private func isSame(_ value: AttributeValue, _ json: StrictJSON) -> Bool {
    switch (value, json) {
    case (.bool(let a), .bool(let b)): a == b
    case (.string(let a), .string(let b)): a.bytes == b
    case (.int(let a), .number(let text)): Int64(text) == a
    case (.decimal(let a), .number(let text)): text.contains(".") && isSame(a, text)
    case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy { isSame($0, $1) }
    case (.map(let a), .object): isSame(a, json)
    default: false
    }
}

@Suite struct MutationTests {
    let decoder = RequestDecoder()
    let requests = Requests()

    @Test(arguments: valid.indices) func validLineIsTaken(_ index: Int) {
        #expect(decode(valid[index]).refusal == nil)
    }

    @Test(arguments: valid.indices) func everyTruncationIsJudgedRight(_ index: Int) {
        let line = Array(valid[index].utf8)
        for count in 1..<line.count {
            let bytes = Array(line[..<count])
            let fault = check(bytes, decoder, requests)
            #expect(fault == nil, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test(arguments: valid.indices) func everyTruncationLeavesTheNeighboursAlone(_ index: Int) {
        let line = Array(valid[index].utf8)
        let good = decode(valid[0])
        for count in 1..<line.count {
            let bytes = Array(valid[0].utf8) + [10] + line[..<count] + [13, 10] + Array(valid[0].utf8)
            let decoding = Decoding(bytes, with: decoder, into: requests)
            guard decoding.lines.count == 3, decoding.lines[0] == good, decoding.lines[2] == good else {
                Issue.record("neighbours of \(String(decoding: line[..<count], as: UTF8.self)) were hurt")
                return
            }
        }
    }

    @Test(arguments: valid.indices) func everyReplacedByteIsJudgedRight(_ index: Int) {
        let line = Array(valid[index].utf8)
        for place in line.indices {
            // Every byte for two lines; for the others those that mean something, and some that do not.
            for byte in index < 2 ? Array(0...255) : telling where byte != line[place] {
                var bytes = line
                bytes[place] = byte
                if let fault = check(bytes, decoder, requests) {
                    Issue.record("byte \(byte) at \(place) of line \(index): \(fault)")
                    return
                }
            }
        }
    }

    @Test(arguments: valid.indices) func everyInsertedByteIsJudgedRight(_ index: Int) {
        let line = Array(valid[index].utf8)
        for place in 0...line.count {
            for byte in telling {
                var bytes = line
                bytes.insert(byte, at: place)
                if let fault = check(bytes, decoder, requests) {
                    Issue.record("byte \(byte) before \(place) of line \(index): \(fault)")
                    return
                }
            }
        }
    }

    @Test func randomChangesAreJudgedRight() {
        var random = SplitMix64(seed: 1)
        for _ in 0..<20_000 {
            var bytes = Array(valid.randomElement(using: &random)!.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.remove(at: place)
                case 1: bytes.insert(bytes.randomElement(using: &random)!, at: place)
                default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            if let fault = check(bytes, decoder, requests) {
                Issue.record("\(String(decoding: bytes, as: UTF8.self)): \(fault)")
                return
            }
        }
    }
}
