using System.CommandLine;
using System.Security.Cryptography;
using System.Text;

namespace Concertina.Cli;

/// <summary><c>concertina key new</c>: a random 256-bit key and the line that lets it in. The key is shown once and kept nowhere.</summary>
internal static class KeyCommand
{
    private const int KeyBytes = 32;

    public static Command Create()
    {
        Argument<string> tenant = new("tenant") { Description = "Tenant the key is for.", DefaultValueFactory = _ => "me" };
        Command command = new("new", "Prints a new key and its line for the configuration.") { tenant };
        command.SetAction(arguments =>
        {
            (string key, string line) = New(arguments.GetRequiredValue(tenant));
            Screen.Line($"key (shown once; give it to the client):  {key}");
            Screen.Line($"configuration:                            {line}");
        });
        return command;
    }

    /// <summary>A new key and the JSON that configures it.</summary>
    public static (string Key, string Line) New(string tenant)
    {
        string key = "sk-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyBytes));
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
        return (key, $$"""{ "Tenants": { "{{tenant}}": { "KeySha256": ["{{hash}}"] } } }""");
    }
}
