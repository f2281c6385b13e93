using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Concertina.Cli;
using Concertina.Cli.Benches;
using Concertina.Cli.Recall;
using Concertina.Cli.Serving;
using Concertina.Gateway;
using Concertina.Silo.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Concertina.Grains.Tests.Cli;

public sealed class CliTests
{
    [Fact]
    public void A_new_key_has_256_bits_and_its_line_has_its_hash()
    {
        (string key, string line) = KeyCommand.New("me");
        Assert.Matches("^sk-[0-9a-f]{64}$", key);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))), line, StringComparison.Ordinal);
        Assert.NotEqual(key, KeyCommand.New("me").Key);
    }

    [Fact]
    public void Rendered_turns_become_messages_and_the_open_turn_is_the_one_to_generate()
    {
        System.Text.Json.Nodes.JsonArray messages = RecallSet.Messages(
            "<|system|>\nBe brief.<|end|>\n<|user|>\nA\nB<|end|>\n<|assistant|>\nC<|end|>\n<|user|>\nD?<|end|>\n<|assistant|>\n");
        Assert.Equal(
            ["system:Be brief.", "user:A\nB", "assistant:C", "user:D?"],
            messages.Select(message => $"{message!["role"]}:{message["content"]}"));
    }

    [Fact]
    public void Percentiles_are_of_the_nearest_rank()
    {
        Assert.Null(Percentiles.Of([]));
        Assert.Equal(new Percentiles(50, 99), Percentiles.Of(Enumerable.Range(1, 100).Select(value => (double)value).Reverse()));
        Assert.Equal(new Percentiles(7, 7), Percentiles.Of([7]));
    }

    [Theory]
    [InlineData("http://0.0.0.0:8080", "KeySha256")]
    [InlineData("http://*:8080", "KeySha256")]
    [InlineData("nonsense", "nonsense")]
    [InlineData("ftp://127.0.0.1", "ftp")]
    public void An_address_that_is_public_without_keys_or_no_address_is_refused(string listen, string named)
    {
        CliException problem = Assert.Throws<CliException>(() => ServeConfiguration.Apply(new ConfigurationManager(), new ServeSettings { Listen = listen }));
        Assert.Equal(ExitCode.Usage, problem.ExitCode);
        Assert.Contains(named, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_command_line_wins_over_the_file_and_the_store_has_a_folder_per_port()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("c.json"), """{ "Listen": "http://127.0.0.1:9000", "KvCache": { "BudgetBytes": "1GiB" }, "Engine": { "Threads": 3 } }""");
        File.WriteAllText(folder.File("m.gguf"), "");
        ConfigurationManager configuration = new();
        string[] addresses = ServeConfiguration.Apply(
            configuration, new ServeSettings { Config = folder.File("c.json"), Model = folder.File("m.gguf"), Threads = 1 });
        Assert.Equal(["http://127.0.0.1:9000"], addresses);
        Assert.Equal($"{1L << 30}", configuration["KvCache:BudgetBytes"]);
        Assert.Equal("1", configuration["Engine:Threads"]);
        Assert.EndsWith(Path.Combine("concertina", "9000"), configuration["Store:Directory"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://localhost", "80")]
    [InlineData("https://localhost", "443")]
    [InlineData("http://127.0.0.1:9000/", "9000")]
    [InlineData("http://[::1]:9001;http://127.0.0.1:9002", "9001")]
    public void The_folder_of_the_store_has_the_port_of_the_first_address(string listen, string port)
    {
        ConfigurationManager configuration = Applied(listen);
        Assert.Equal(port, Path.GetFileName(configuration["Store:Directory"]));
        Assert.Equal("concertina", Path.GetFileName(Path.GetDirectoryName(configuration["Store:Directory"])));
    }

    [Fact]
    public void Addresses_of_the_web_server_itself_are_refused_because_no_check_sees_them()
    {
        ConfigurationManager configuration = new();
        configuration["Kestrel:Endpoints:X:Url"] = "http://0.0.0.0:9000";
        CliException problem = Assert.Throws<CliException>(() => ServeConfiguration.Apply(configuration, new ServeSettings()));
        Assert.Equal(ExitCode.Usage, problem.ExitCode);
        Assert.Contains("Kestrel:Endpoints", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_without_keys_answers_to_names_of_this_machine_alone()
    {
        Assert.Equal("127.0.0.1;localhost;[::1]", Applied("http://127.0.0.1:9")["AllowedHosts"]);
        Assert.Equal("mine.example", Applied("http://127.0.0.1:9", ("AllowedHosts", "mine.example"))["AllowedHosts"]);
        Assert.Null(Applied("http://0.0.0.0:9", ("Tenants:me:KeySha256:0", new string('a', 64)))["AllowedHosts"]);
    }

    [Theory]
    [InlineData(25, 26, true)]
    [InlineData(26, 26, false)]
    [InlineData(27, 26, false)]
    public void The_gateway_must_end_its_streams_before_the_silo_does(double gateway, double silo, bool good)
    {
        ServiceCollection services = new();
        services.AddOptions();
        services.AddSingleton(Options.Create(new GatewayOptions { DrainSeconds = gateway }));
        DrainOrder.Check(services);
        services.AddSingleton<IOptionsFactory<SiloOptions>>(provider => new Fixed(
            new SiloOptions { DrainSeconds = silo }, provider.GetServices<IValidateOptions<SiloOptions>>()));
        using ServiceProvider provider = services.BuildServiceProvider();
        Exception? problem = Record.Exception(() => provider.GetRequiredService<IOptions<SiloOptions>>().Value);
        Assert.Equal(good, problem is null);
        Assert.True(good || (problem!.Message.Contains("Gateway:DrainSeconds", StringComparison.Ordinal) && problem.Message.Contains("Silo:DrainSeconds", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_server_that_is_told_to_stop_while_it_loads_ends_well()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("c.json"), JsonSerializer.Serialize(new { Store = new { Directory = folder.File("store") }, KvCache = new { BudgetBytes = "64MiB" } }));
        ServeSettings settings = new() { Config = folder.File("c.json"), Listen = "http://127.0.0.1:0", Threads = 1 };
        Assert.Equal(ExitCode.Success, await Server.Run(settings, new CancellationToken(canceled: true)));
    }

    [Theory]
    [InlineData("http://127.0.0.1:9", true)]
    [InlineData("127.0.0.1:9", false)]
    [InlineData("ftp://127.0.0.1", false)]
    public void A_server_is_named_by_its_address(string text, bool good)
    {
        System.CommandLine.Option<Uri> option = ServerUrl.Option();
        System.CommandLine.ParseResult parsed = new System.CommandLine.Command("x") { option }.Parse(["--url", text]);
        Assert.Equal(good, parsed.Errors.Count == 0);
        Assert.Equal(good ? new Uri(text) : null, good ? parsed.GetValue(option) : null);
    }

    private static ConfigurationManager Applied(string listen, params (string Key, string Value)[] settings)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("m.gguf"), "");
        ConfigurationManager configuration = new();
        foreach ((string key, string value) in settings)
        {
            configuration[key] = value;
        }
        ServeConfiguration.Apply(configuration, new ServeSettings { Listen = listen, Model = folder.File("m.gguf") });
        return configuration;
    }

    private sealed class Fixed(SiloOptions options, IEnumerable<IValidateOptions<SiloOptions>> validators) : OptionsFactory<SiloOptions>([], [], validators)
    {
        protected override SiloOptions CreateInstance(string name) => options;
    }

    [Fact]
    public void A_missing_model_or_configuration_file_is_named()
    {
        Assert.Equal(ExitCode.Model, Assert.Throws<CliException>(() =>
            ServeConfiguration.Apply(new ConfigurationManager(), new ServeSettings { Model = "nowhere.gguf" })).ExitCode);
        Assert.Equal(ExitCode.Usage, Assert.Throws<CliException>(() =>
            ServeConfiguration.Apply(new ConfigurationManager(), new ServeSettings { Config = "nowhere.json" })).ExitCode);
    }
}
