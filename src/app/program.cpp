#include "app/program.hpp"

#include "app/client_program.hpp"
#include "app/command_line.hpp"
#include "app/console.hpp"
#include "app/create_config.hpp"
#include "app/load_settings.hpp"
#include "app/messages.hpp"
#include "app/option_table.hpp"
#include "app/server_program.hpp"
#include "os/file_place.hpp"
#include "os/host_info.hpp"
#include "os/standard_streams.hpp"

namespace wyndrvr::app {
namespace {

// Without a home there is no default file; only writing one needs it.
Result<ConfigPath> config_of(const CommandLine& command) {
  if (command.config_path) return find_config(command.config_path, "");
  const auto home = os::home_folder();
  if (home) return find_config(std::nullopt, *home);
  if (command.action == Action::kCreateConfig) return std::unexpected(home.error());
  return ConfigPath{};
}

ExitCode show_text(const std::string& text) {
  const auto written = write_stdout(text);
  return written ? ExitCode::kDone : report_failure(written.error());
}

bool is_stdout(const std::string& path) {
  const auto place = os::find_place(path);
  return place && place->descriptor && os::same_file(*place->descriptor, os::kStdout);
}

ExitCode create(const CommandLine& command, const ConfigPath& config) {
  const auto created = create_config(config, command.values);
  if (!created) return report_bad_usage(created.error());
  report_warnings(created->warnings);
  if (!is_stdout(config.path)) {
    std::string text;
    for (const std::string& line : created->lines) text += line + "\n";
    return show_text(text);
  }
  // Where the file went, nothing else goes.
  Console console = Console::standard();
  for (const std::string& line : created->lines) console.err(line);
  return ExitCode::kDone;
}

ExitCode run(const CommandLine& command) {
  report_warnings(command.warnings);
  const auto config = config_of(command);
  if (!config) return report_bad_usage(config.error());
  if (command.action == Action::kCreateConfig) return create(command, *config);
  const auto loaded = load_settings(command, *config);
  if (!loaded) return report_bad_usage(loaded.error());
  report_warnings(loaded->warnings);
  return command.action == Action::kServer ? run_server_program(command, loaded->settings)
                                           : run_client_program(command, loaded->settings);
}

}  // namespace

ExitCode run_program(const std::vector<std::string>& arguments) {
  const auto command = parse_command_line(arguments);
  if (!command) return report_bad_usage(command.error());
  if (command->action == Action::kHelp) return show_text(help_text());
  if (command->action == Action::kVersion) return show_text("wyndrvr " WYNDRVR_VERSION "\n");
  return run(*command);
}

}  // namespace wyndrvr::app
