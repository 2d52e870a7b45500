/// A table for people: columns as wide as their content, numbers to the right.
struct Table {
    enum Alignment {
        case left
        case right
    }

    struct Column {
        var title: String
        var alignment: Alignment

        init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: Column...) { self.columns = columns }

    /// Adds a row with one text for each column.
    mutating func add(_ cells: String...) {
        precondition(cells.count == columns.count)
        rows.append(cells.map(printable))
    }

    var isEmpty: Bool { rows.isEmpty }

    /// The lines of the table; the first is the titles, in bold where the terminal has it.
    func lines(for terminal: Terminal) -> [String] {
        let widths = columns.indices.map { column in
            max(columns[column].title.count, rows.map { $0[column].count }.max() ?? 0)
        }
        let titles = line(columns.map(\.title), widths)
        return [terminal.styled(titles, .bold)] + rows.map { line($0, widths) }
    }

    /// Writes the table to a terminal.
    func print(to terminal: Terminal = .output) {
        for line in lines(for: terminal) { terminal.line(line) }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[index] - cell.count)
            if index > 0 { text += "  " }
            text += columns[index].alignment == .right ? padding + cell : cell + padding
        }
        while text.last == " " { text.removeLast() }
        return text
    }
}
