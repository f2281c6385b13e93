using Spectre.Console;

namespace Concertina.Cli;

/// <summary>The terminal: results on standard output, what went wrong on standard error.</summary>
internal static class Screen
{
    private static readonly IAnsiConsole ErrorConsole = MakeErrorConsole();

    /// <summary>One line, as it is: not wrapped, no markup.</summary>
    public static void Line(string text = "") => Console.Out.WriteLine(text);

    public static void Error(string message) => ErrorConsole.MarkupLineInterpolated($"[red]error:[/] {message}");

    // As wide as it needs: a line to paste must not be broken.
    private static IAnsiConsole MakeErrorConsole()
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        console.Profile.Width = int.MaxValue;
        return console;
    }
}
