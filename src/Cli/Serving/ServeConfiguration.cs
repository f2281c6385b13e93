using System.Globalization;
using Concertina.Gateway.Tenants;
using Concertina.Silo.Options;
using Microsoft.Extensions.Configuration;

namespace Concertina.Cli.Serving;

/// <summary>
/// Configuration of a server: defaults (appsettings.json beside the program), then the file of <c>--config</c>, then the
/// environment, then the command line.
/// </summary>
internal static class ServeConfiguration
{
    public const string DefaultListen = "http://127.0.0.1:8080";
    private const string DemoModel = "models/demo/demo-q8_0.gguf";

    /// <summary>Adds file and command line to the host's configuration and fills in what depends on the machine.</summary>
    /// <returns>The addresses to listen on.</returns>
    /// <exception cref="CliException">A file, size or address is wrong, or a public address would need keys.</exception>
    public static string[] Apply(IConfigurationManager configuration, ServeSettings settings)
    {
        AddFile(configuration, settings.Config);
        configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Model:Path"] = settings.Model,
            ["Model:Name"] = settings.Name,
            ["KvCache:BudgetBytes"] = settings.KvBudget,
            ["Listen"] = settings.Listen,
            ["Engine:Threads"] = settings.Threads?.ToString(CultureInfo.InvariantCulture),
        }.Where(setting => setting.Value is not null));
        try
        {
            ByteSize.Normalize(configuration);
        }
        catch (FormatException problem)
        {
            throw new CliException(ExitCode.Usage, problem.Message);
        }
        RefuseEndpoints(configuration);
        string[] addresses = Addresses(configuration["Listen"] is { Length: > 0 } listen ? listen : DefaultListen);
        if (ListenGuard.Refusal(addresses, configuration) is { } refusal)
        {
            throw new CliException(ExitCode.Usage, $"{refusal}\n`concertina key new` prints a key and its line.");
        }
        RestrictHosts(configuration, addresses);
        configuration["Model:Path"] = ModelPath(configuration["Model:Path"]);
        configuration["Store:Directory"] = StoreDirectory(configuration["Store:Directory"], addresses[0]);
        return addresses;
    }

    private static void AddFile(IConfigurationManager configuration, string? file)
    {
        if (file is null)
        {
            return;
        }
        if (!File.Exists(file))
        {
            throw new CliException(ExitCode.Usage, $"There is no configuration file {file}.");
        }
        try
        {
            configuration.AddJsonFile(Path.GetFullPath(file), optional: false);
        }
        catch (InvalidDataException problem)
        {
            throw new CliException(ExitCode.Usage, $"{file} cannot be read: {problem.InnerException?.Message ?? problem.Message}");
        }
        configuration.AddEnvironmentVariables();
    }

    private static string[] Addresses(string listen)
    {
        string[] addresses = listen.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (string address in addresses)
        {
            if (!Uri.TryCreate(Parsable(address), UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
            {
                throw new CliException(ExitCode.Usage, $"'{address}' is not an address to listen on; write one such as {DefaultListen}.");
            }
        }
        return addresses;
    }

    /// <summary>'*' and '+' are hosts to the web server, not to Uri.</summary>
    private static string Parsable(string address) =>
        address.Replace("://*", "://any", StringComparison.Ordinal).Replace("://+", "://any", StringComparison.Ordinal);

    /// <summary>The web server would listen there instead of on <c>Listen</c>, behind the back of the check for keys.</summary>
    private static void RefuseEndpoints(IConfiguration configuration)
    {
        if (configuration.GetSection("Kestrel:Endpoints").GetChildren().Any())
        {
            throw new CliException(ExitCode.Usage, "Kestrel:Endpoints is not read here; write the addresses as Listen, several with ';' (--listen).");
        }
    }

    /// <summary>
    /// Without keys, a page in a browser of this machine must not reach the server under a name that its author made
    /// resolve to loopback.
    /// </summary>
    private static void RestrictHosts(IConfiguration configuration, string[] addresses)
    {
        if (string.IsNullOrEmpty(configuration["AllowedHosts"]) && ListenGuard.IsKeyless(configuration))
        {
            configuration["AllowedHosts"] = string.Join(
                ';', addresses.Select(address => new Uri(Parsable(address)).Host).Where(host => host.Length > 0).Union(["localhost", "127.0.0.1", "[::1]"]));
        }
    }

    private static string ModelPath(string? configured)
    {
        if (!string.IsNullOrEmpty(configured))
        {
            return File.Exists(configured)
                ? Path.GetFullPath(configured)
                : throw new CliException(ExitCode.Model, $"There is no model file {configured}.");
        }
        foreach (string start in (string[])[AppContext.BaseDirectory, Environment.CurrentDirectory])
        {
            for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
            {
                string file = Path.Combine(folder.FullName, DemoModel);
                if (File.Exists(file))
                {
                    return file;
                }
            }
        }
        throw new CliException(ExitCode.Model, $"The demo model {DemoModel} is neither beside the program nor in this checkout; name a model with --model FILE.gguf.");
    }

    /// <summary>One folder per port below the user's data: a restart finds its sessions, two servers never share one.</summary>
    private static string StoreDirectory(string? configured, string address)
    {
        if (!string.IsNullOrEmpty(configured))
        {
            return Path.GetFullPath(configured);
        }
        string data = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        if (data.Length == 0)
        {
            throw new CliException(ExitCode.Usage, "This user has no folder for application data; set Store:Directory to a folder that can be written.");
        }
        return Path.Combine(data, "concertina", new Uri(Parsable(address)).Port.ToString(CultureInfo.InvariantCulture));
    }
}
