using System.CommandLine;

namespace Concertina.Cli;

/// <summary>The option <c>--url</c> of commands that ask a running server.</summary>
internal static class ServerUrl
{
    private const string Default = "http://127.0.0.1:8080";

    public static Option<Uri> Option() => new("--url")
    {
        Description = $"Server to ask. Default: {Default}.",
        DefaultValueFactory = _ => new Uri(Default),
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is ("http" or "https"))
            {
                return url;
            }
            result.AddError($"'{text}' is not the address of a server; write one such as {Default}.");
            return null;
        },
    };
}
