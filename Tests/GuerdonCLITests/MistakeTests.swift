import ArgumentParser
import GuerdonClient
import GuerdonEngine
import Testing

@testable import guerdon

struct MistakeTests {
    @Test func namesCannotMoveTheCursor() {
        #expect(printable("Ada \u{1B}[2J\u{7}\n") == #"Ada \u{1b}[2J\u{7}\u{a}"#)
        #expect(printable("\u{202E}gpj.exe\u{9B}1m") == #"\u{202e}gpj.exe\u{9b}1m"#)
        // Joined emoji and letters of all kinds stay.
        #expect(printable("żółw 👩‍🚀 مرحبا") == "żółw 👩‍🚀 مرحبا")
        var table = Table(.init("member"))
        table.add("a\u{1B}c")
        #expect(table.lines(for: .error).last == #"a\u{1b}c"#)
    }

    @Test func linesAreToldByFileAndNumberBlankOnesIncluded() {
        var places = LinePlaces()
        places.begin("a", at: 0)
        places.skip(at: 0)
        places.skip(at: 0)
        places.skip(at: 2)
        places.begin("b", at: 3)
        places.begin(nil, at: 3)
        places.skip(at: 4)
        // a: blank, blank, 1, 2, blank, 3; b: nothing; standard input: 4, blank, 5.
        #expect((1...5).map { places.name(ofLine: $0) } == ["a:3", "a:4", "a:6", "line 1", "line 3"])
        #expect(LinePlaces().name(ofLine: 7) == "line 7")
    }

    @Test func failuresAreJSONWithTheirCode() throws {
        let failures: [(any Error, String)] = [
            (ClientError(.refused, "unknown_board: There is no \"x\". (field board)"), "unknown_board"),
            (ClientError(.unreachable, "cannot connect"), "unreachable"),
            (EngineError("bad_shards", "no"), "bad_shards"),
            (ValidationError("--port must be less"), "bad_arguments"),
        ]
        for (failure, code) in failures {
            let json = try JSONValue.parse(FailureText(failure).json)
            #expect(json["ok"]?.boolean == false)
            #expect(json["error"]?["code"]?.text == code)
            #expect(json["error"]?["message"]?.text == "\(failure)")
        }
    }
}
