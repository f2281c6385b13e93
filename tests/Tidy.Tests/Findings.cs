using System.Text;

namespace Concertina.Tidy.Tests;

/// <summary>What a tidy test found; fails with every finding and what to do about it.</summary>
internal static class Findings
{
    public static void None(IEnumerable<string> findings, string whatToDo)
    {
        string[] found = [.. findings];
        if (found.Length == 0)
        {
            return;
        }
        StringBuilder message = new StringBuilder().Append(found.Length).Append(" found. ").AppendLine(whatToDo);
        foreach (string finding in found)
        {
            message.Append("  ").AppendLine(finding);
        }
        Assert.Fail(message.ToString());
    }
}
